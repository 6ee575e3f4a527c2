//! Progress that says nothing but that a call goes on, for clients that would give up.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;

/// How long a client may take to take one, before the work goes on.
const TAKEN_MAX: Duration = Duration::from_secs(1);

/// What `work` comes to. As long as it takes, a client that asked for its progress hears of it every so often.
pub(super) async fn beating<T>(work: impl Future<Output = T>, context: &RequestContext<RoleServer>, every: Duration) -> T {
    let Some(token) = context.meta.get_progress_token() else { return work.await };
    tokio::pin!(work);
    let mut count = 0_u32;
    loop {
        if let Ok(done) = tokio::time::timeout(every, &mut work).await {
            return done;
        }
        count += 1;
        let progress = ProgressNotificationParam::new(token.clone(), f64::from(count)).with_message("the call goes on");
        // Whoever takes none is not waited for.
        let _ = tokio::time::timeout(TAKEN_MAX, context.peer.notify_progress(progress)).await;
    }
}
