//! Each limit at nothing, at one, and at the most that its type can say.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{Config, End, Limits, LowerLimits, Outcome, RunError, Runtime, Stop};

use crate::shared_runtime::run;
use crate::test_tools::{self, TestTools, Upstream};

/// A limit, by its name, and what sets it in a configuration and in the options of a run: 0, 1, and the most that its type can say.
type Extreme = (&'static str, fn(&mut Limits, usize), fn(&mut LowerLimits, usize));

macro_rules! extremes {
    ($($field:ident: $values:expr;)*) => {
        [$((
            stringify!($field),
            |limits: &mut Limits, which: usize| limits.$field = $values[which],
            |limits: &mut LowerLimits, which: usize| limits.$field = Some($values[which]),
        )),*]
    };
}

const BYTES: [usize; 3] = [0, 1, usize::MAX];
const COUNTS: [u32; 3] = [0, 1, u32::MAX];
const TIMES: [Duration; 3] = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];

const EXTREMES: [Extreme; 18] = extremes! {
    wall_max: TIMES;
    drain_max: TIMES;
    cpu_max: TIMES;
    heap_bytes_max: BYTES;
    buffer_bytes_max: BYTES;
    data_bytes_max: BYTES;
    source_bytes_max: BYTES;
    source_nesting_max: BYTES;
    calls_max: COUNTS;
    calls_in_flight_max: COUNTS;
    argument_bytes_max: BYTES;
    argument_bytes_total_max: BYTES;
    reply_bytes_max: BYTES;
    reply_bytes_total_max: BYTES;
    held_bytes_max: BYTES;
    result_bytes_max: BYTES;
    console_bytes_max: BYTES;
    console_lines_max: COUNTS;
};

/// Whatever one limit is, a run ends as its program or that limit says, or the configuration is refused and the message names the field.
pub(super) fn extremes() -> anyhow::Result<()> {
    let program = "console.log('a line'); return await Promise.all([1, 2].map((value) => test.echo({ value }).catch((error) => error.code)))";
    let fields = format!("{:#?}", Limits::default()).lines().count() - 2;
    ensure!(fields == EXTREMES.len(), "there are {fields} limits: name them all here");
    let check = |what: &str, outcome: &Outcome| match &outcome.end {
        End::Stopped(Stop::GuestLost { how }) => Err(anyhow::anyhow!("{what}: lost: {how}")),
        End::Stopped(Stop::Cancelled | Stop::Deadlock { .. }) => Err(anyhow::anyhow!("{what}: {}", outcome.end)),
        _ => Ok(()),
    };
    for (name, _, lower) in EXTREMES {
        for which in 0..3 {
            check(&format!("a run with {name} {which}"), &run(|limits| lower(limits, which), program)?)?;
        }
    }
    let tokio = tokio::runtime::Runtime::new()?;
    for (name, set, _) in EXTREMES {
        for which in 0..3 {
            let mut config = Config::default();
            set(&mut config.limits, which);
            let limits = config.limits.clone();
            let what = format!("a runtime with {name} {which}");
            let outcome = tokio.block_on(async {
                let session = match Runtime::new(config) {
                    Ok(runtime) => runtime.session(test_tools::scopes()?.test, TestTools(Upstream::new("user"))),
                    Err(error @ RunError::Configuration { .. }) if error.to_string().contains(&format!("`limits.{name}`")) => {
                        return Ok(None);
                    }
                    Err(error) => return Err(error.into()),
                };
                anyhow::Ok(Some(session.run(program).await.with_context(|| format!("{what}: {limits:?}"))?))
            })?;
            outcome.map_or(Ok(()), |outcome| check(&what, &outcome))?;
        }
    }
    Ok(())
}
