//! Whose a request is: what an application knows, and this crate asks for every request.

use axum::http::request::Parts;
use futures::future::BoxFuture;
use isolet::Principal;

use crate::refusal::Refusal;
use crate::resource::ProtectedResource;

/// Says whose a request is. Asked for each request; nothing that a client says elsewhere (a session, a tool's arguments) is asked.
///
/// A closure `|head: &Parts| -> Result<Principal, Refusal>` is one: where a layer of the application has authenticated the request, it finds the
/// user in `head.extensions`. [`crate::BearerKeys`] is another.
pub trait Authenticate: Send + Sync + 'static {
    /// Whose the request with this head is.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if it is nobody's, or may not be made.
    fn principal<'a>(&'a self, head: &'a Parts) -> BoxFuture<'a, Result<Principal, Refusal>>;

    /// What clients with OAuth are told (RFC 9728), now: whose tokens are taken. By default nothing.
    fn resource(&self) -> Option<ProtectedResource> {
        None
    }
}

impl<F> Authenticate for F
where
    F: Fn(&Parts) -> Result<Principal, Refusal> + Send + Sync + 'static,
{
    fn principal<'a>(&'a self, head: &'a Parts) -> BoxFuture<'a, Result<Principal, Refusal>> {
        Box::pin(std::future::ready(self(head)))
    }
}
