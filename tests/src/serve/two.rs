//! A deployment with two users, who may do different things.

use anyhow::Result;
use isolet_http::{Key, KeyHash};

use super::served::{Served, Visitor, servers};

/// A deployment with two users: ada, who may do everything, and bob, who reads.
pub(super) struct Two {
    pub(super) served: Served,
    pub(super) ada: Visitor,
    pub(super) bob: Visitor,
    /// Who looks at what is counted, and has requests of their own.
    pub(super) watcher: Visitor,
}

/// What a file says of both; their keys' hashes are put in.
const USERS: &str = r#"
[roles.admin]
allow = ["complete.*", "good.*"]

[roles.reader]
allow = ["complete.*"]
deny = ["*.delete-many"]
[roles.reader.rename]
"complete.echo" = "say"
[roles.reader.pin."complete.echo"]
owner = "acme"
[roles.reader.limits]
wall_seconds_max = 5
calls_max = 3
"#;

impl Two {
    pub(super) fn start(more: &str, arguments: &[&str]) -> Result<Self> {
        let keys = [Key::new()?, Key::new()?, Key::new()?];
        let user = |name: &str, role: &str, key: &Key| {
            let hash: KeyHash = key.hash();
            format!("[users.{name}]\nroles = [\"{role}\"]\nkeys = [\"{hash}\"]\n")
        };
        let users = user("ada", "admin", &keys[0]) + &user("bob", "reader", &keys[1]) + &user("watcher", "reader", &keys[2]);
        let deployment = format!("{more}\n{}{USERS}{users}", servers(&["complete", "good"])?);
        let served = Served::start(&deployment, arguments)?;
        let [ada, bob, watcher] = [0, 1, 2].map(|user| served.visitor(&keys[user]));
        Ok(Self { served, ada, bob, watcher })
    }
}
