//! Who is signed in: two users of this process, each with a key of their own. This is the one file that knows keys.

use isolet::Principal;
use isolet_http::{BearerKeys, Key};

use crate::tracker::Role;

/// A user whose key came with a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) name: &'static str,
    pub(super) role: Role,
}

/// The users who are signed in.
pub(super) struct Users([(User, Key); 2]);

impl Users {
    pub(super) const ADA: User = User { name: "ada", role: Role::Admin };
    pub(super) const BOB: User = User { name: "bob", role: Role::Viewer };

    /// Signs both in.
    pub(super) fn sign_in() -> std::io::Result<Self> {
        Ok(Self([(Self::ADA, Key::new()?), (Self::BOB, Key::new()?)]))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (User, &str)> {
        self.0.iter().map(|(user, key)| (*user, key.as_str()))
    }

    /// Whose each key is, for the router.
    pub(super) fn bearer_keys(&self) -> BearerKeys {
        self.0.iter().fold(BearerKeys::new(), |keys, (user, key)| keys.with(key.hash(), Principal::new(user.name)))
    }

    /// The role of the user of a request.
    pub(super) fn role_of(principal: &Principal) -> Option<Role> {
        [Self::ADA, Self::BOB].into_iter().find(|user| user.name == principal.user).map(|user| user.role)
    }
}
