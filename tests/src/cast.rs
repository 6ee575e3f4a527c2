//! What this binary is when a test has started it again, by its first argument.

use crate::{
    asking_server, attack_host, attacks, backend, bfcl, canaries, canary, comparison, conformance, conformance_client, crowd,
    embedding, endings, examples, frames, held, host_work, kill, lies, limits, overhead, priority, processes, real_servers,
    scope_snapshots, shortages, soak, stopped, unprivileged, walls,
};

/// Plays the role that the first argument names; `None` if it names none.
pub(crate) fn play(arguments: &[String]) -> Option<anyhow::Result<()>> {
    let (role, arguments) = arguments.split_first()?;
    match &**role {
        "kill" => Some(kill::run(arguments)),
        "crowd" => Some(crowd::run(arguments)),
        "canaries" => Some(canaries::run(arguments)),
        asking_server::ARGUMENT => Some(asking_server::serve()),
        bfcl::ARGUMENT => Some(bfcl::play(arguments)),
        soak::ARGUMENT => Some(soak::run(arguments)),
        real_servers::ARGUMENT => Some(real_servers::run(arguments)),
        overhead::ARGUMENT => Some(overhead::run(arguments)),
        attacks::HOST_ARGUMENT => Some(attack_host::run(arguments)),
        canary::HOST_ARGUMENT => Some(canary::host(arguments)),
        canary::SNAPSHOT_ARGUMENT => Some(canary::write_snapshot(arguments)),
        embedding::HOST_ARGUMENT => Some(embedding::host(arguments)),
        comparison::COMPARE_ARGUMENT => Some(comparison::compare()),
        comparison::SERVE_ARGUMENT => Some(comparison::serve(arguments)),
        conformance::FIXTURE_ARGUMENT => Some(conformance::fixture(arguments)),
        conformance::RUN_ARGUMENT => Some(conformance::run(arguments)),
        conformance_client::ARGUMENT => Some(conformance_client::play(arguments)),
        backend::TRY_ARGUMENT => Some(backend::try_it()),
        backend::SERVE_ARGUMENT => Some(backend::serve()),
        examples::DEMO_ARGUMENT => Some(examples::demo()),
        priority::HOST_ARGUMENT => Some(priority::host(arguments)),
        priority::NEIGHBOURS_ARGUMENT => Some(priority::neighbours(arguments)),
        processes::HOST_ARGUMENT => Some(processes::host(arguments)),
        lies::LIAR_ARGUMENT => Some(lies::lie()),
        lies::BARREN_ARGUMENT => Some(lies::refuse_forks()),
        scope_snapshots::HOST_ARGUMENT => Some(scope_snapshots::host(arguments)),
        scope_snapshots::LIAR_ARGUMENT => Some(scope_snapshots::lie()),
        shortages::HOST_ARGUMENT => Some(shortages::host(arguments)),
        stopped::HOST_ARGUMENT => Some(stopped::host(arguments)),
        frames::HOST_ARGUMENT => Some(frames::host(arguments)),
        held::HOST_ARGUMENT => Some(held::host(arguments)),
        host_work::HOST_ARGUMENT => Some(host_work::host(arguments)),
        limits::HOST_ARGUMENT => Some(limits::host(arguments)),
        endings::HOST_ARGUMENT => Some(endings::host(arguments)),
        walls::ARGUMENT => Some(walls::run(arguments)),
        unprivileged::ARGUMENT => Some(unprivileged::play(arguments)),
        _ => None,
    }
}
