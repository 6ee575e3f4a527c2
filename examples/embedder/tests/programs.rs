//! Tests with Rust's own harness that run programs.
//!
//! The harness has threads before any test begins, so its process can be no guest. `Config::executable` names one that can: the application's own
//! program, whose first line is `isolet::init()`, or the program `isolet` of the same version.

use std::path::PathBuf;

use embedder::{Clocks, catalog};
use isolet::{Config, End, Grants, Runtime, Session};
use serde_json::json;

fn executable() -> PathBuf {
    if cfg!(feature = "guest") {
        env!("CARGO_BIN_EXE_embedder").into()
    } else {
        std::env::var_os("ISOLET_PROGRAM").expect("`ISOLET_PROGRAM` names the program `isolet`").into()
    }
}

fn session() -> Result<(Runtime, Session), Box<dyn std::error::Error>> {
    let mut config = Config::default();
    config.executable = Some(executable());
    let runtime = Runtime::new(config)?;
    let scope = catalog()?.scope(&Grants::new().allow("clock.*"))?;
    let session = runtime.session(scope, Clocks { hours: vec![("Oslo", 12), ("Tokyo", 20)] });
    Ok((runtime, session))
}

#[tokio::test]
async fn a_program_asks_two_clocks() -> Result<(), Box<dyn std::error::Error>> {
    let (_runtime, session) = session()?;
    let program =
        "const hours = await Promise.all(['Oslo', 'Tokyo'].map(city => clock.hour({ city }))); return hours[1] - hours[0]";
    assert_eq!(session.run(program).await?.end, End::Returned(json!(8)));
    Ok(())
}

#[tokio::test]
async fn a_program_hears_of_a_city_without_a_clock() -> Result<(), Box<dyn std::error::Error>> {
    let (_runtime, session) = session()?;
    let outcome = session.run("return await clock.hour({ city: 'Atlantis' })").await?;
    assert!(matches!(&outcome.end, End::Threw(error) if error.message.contains("no clock in `Atlantis`")), "{:?}", outcome.end);
    Ok(())
}
