//! Who is let in: whoever has a key of the deployment; on this machine alone whoever can read a file with one, or, if that is asked for, anybody.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use axum::http::request::Parts;
use futures::future::BoxFuture;
use isolet::Principal;
use isolet::mcp::Url;
use isolet_http::{Authenticate, BearerKeys, Key, KeyHash, ProtectedResource, Refusal};
use isolet_identity::{SubjectTokens, TokenVerifier};

use super::proxied::Proxied;
use super::token_access::TokenAccess;
use crate::command_line::ServeCommand;
use crate::deployment::Deployment;
use crate::fault::Fault;
use crate::terminal;

/// A file with a key has no more bytes.
const KEY_FILE_BYTES_MAX: u64 = 1024;

/// Who is let in.
pub(super) enum Access {
    /// Who has one of these keys.
    Keys(BearerKeys),
    /// Who can read this file.
    KeyFile {
        /// The key that is in it.
        keys: BearerKeys,
        /// The file.
        path: PathBuf,
    },
    /// Anybody, as this user.
    Anybody(Principal),
    /// Whom a proxy names; else who has one of the others.
    Proxied(Box<(Proxied, Self)>),
    /// Who has a token of an issuer that is trusted, or a key.
    Tokens(Box<TokenAccess>),
}

impl Access {
    /// What the deployment and the command line say of a service that clients call `base`. Tokens that are exchanged for others are held in `subjects`.
    pub(super) fn of(
        deployment: &Deployment,
        command: &ServeCommand,
        base: Option<&Url>,
        subjects: &SubjectTokens,
    ) -> Result<Self, Fault> {
        let is_here = deployment.address.ip().is_loopback();
        if command.no_auth {
            if !is_here {
                return Err(refused(format!(
                    "`--no-auth` lets anybody in who reaches {}: listen at 127.0.0.1, or give each user a key (`isolet key`)",
                    deployment.address
                )));
            }
            if deployment.proxy.is_some() {
                return Err(refused("`--no-auth` asks nobody who they are, and `[proxy]` does: keep one of them".to_owned()));
            }
            return Ok(Self::Anybody(only_user(deployment, "`--no-auth`")?));
        }
        let keys = deployment.keys.iter();
        let keys = keys.fold(BearerKeys::new(), |keys, (hash, user)| keys.with(*hash, deployment.principal(user)));
        if let Some(proxied) = Proxied::of(deployment) {
            let others = match deployment.issuers.is_empty() {
                true => Self::Keys(keys),
                false => Self::Tokens(Box::new(token_access(deployment, keys, base, subjects)?)),
            };
            return Ok(Self::Proxied(Box::new((proxied, others))));
        }
        if !deployment.issuers.is_empty() {
            return Ok(Self::Tokens(Box::new(token_access(deployment, keys, base, subjects)?)));
        }
        if !deployment.keys.is_empty() {
            return Ok(Self::Keys(keys));
        }
        if !is_here {
            return Err(refused(format!(
                "{} can be reached by others, and no user has a key: make one with `isolet key`, and write its hash into `keys` of a user",
                deployment.address
            )));
        }
        let user = only_user(deployment, "one key for all")?;
        let path = command.key_file.clone().unwrap_or_else(|| deployment.path.with_extension("key"));
        let hash = key_in(&path).map_err(Fault::Usage)?;
        Ok(Self::KeyFile { keys: BearerKeys::new().with(hash, user), path })
    }

    /// Says on standard error what a client needs.
    pub(super) fn say(&self) {
        match self {
            Self::Keys(_) | Self::Tokens(_) | Self::Proxied(_) => {}
            Self::KeyFile { path, .. } => {
                terminal::say(&format!("the key for `Authorization: Bearer` is in `{}`", path.display()));
            }
            Self::Anybody(principal) => {
                terminal::say(&format!("anybody on this machine is let in, as `{}`", principal.user));
            }
        }
    }
}

impl Authenticate for Access {
    fn principal<'a>(&'a self, head: &'a Parts) -> BoxFuture<'a, Result<Principal, Refusal>> {
        match self {
            Self::Keys(keys) | Self::KeyFile { keys, .. } => keys.principal(head),
            Self::Anybody(principal) => Box::pin(std::future::ready(Ok(principal.clone()))),
            Self::Tokens(tokens) => Box::pin(tokens.principal(head)),
            Self::Proxied(both) => match both.0.principal(head) {
                Ok(None) => both.1.principal(head),
                Ok(Some(principal)) => Box::pin(std::future::ready(Ok(principal))),
                Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
            },
        }
    }

    fn resource(&self) -> Option<ProtectedResource> {
        match self {
            Self::Tokens(tokens) => Some(tokens.resource.clone()),
            Self::Proxied(both) => both.1.resource(),
            Self::Keys(_) | Self::KeyFile { .. } | Self::Anybody(_) => None,
        }
    }
}

/// Who is let in with a token.
fn token_access(
    deployment: &Deployment,
    keys: BearerKeys,
    base: Option<&Url>,
    subjects: &SubjectTokens,
) -> Result<TokenAccess, Fault> {
    let base = base.ok_or_else(|| {
        refused("tokens say what service they are for: write `public_url`, which clients call it, into `[listener]`".to_owned())
    })?;
    let servers = deployment.issuers.iter().map(|issuer| issuer.issuer.clone()).collect();
    let mut scopes: Vec<String> = deployment.issuers.iter().flat_map(|issuer| issuer.scopes.iter().cloned()).collect();
    scopes.sort();
    scopes.dedup();
    let resource = ProtectedResource::new(base, servers, scopes);
    let mut issuers = deployment.issuers.clone();
    for issuer in issuers.iter_mut().filter(|issuer| issuer.audiences.is_empty()) {
        issuer.audiences = resource.audiences();
    }
    let verifier = TokenVerifier::new(issuers, &deployment.upstream.policy).map_err(Fault::usage)?;
    let subjects = deployment.exchanges_tokens().then(|| subjects.clone());
    Ok(TokenAccess { keys, verifier, resource, subjects })
}

fn refused(message: String) -> Fault {
    Fault::usage(anyhow!(message))
}

/// The user where nothing tells users apart.
fn only_user(deployment: &Deployment, what: &str) -> Result<Principal, Fault> {
    match deployment.users.keys().collect::<Vec<_>>().as_slice() {
        [user] => Ok(deployment.principal(user)),
        users => Err(refused(format!(
            "{what} cannot tell {} users apart: make a key for each with `isolet key`, and write its hash into their `keys`",
            users.len()
        ))),
    }
}

/// The hash of the key in a file that only this user can read; makes both where there is none.
fn key_in(path: &Path) -> anyhow::Result<KeyHash> {
    let unusable = || format!("the file `{}` with the key cannot be used", path.display());
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let key = Key::new().context("there are no random numbers")?;
            file.write_all(format!("{}\n", key.as_str()).as_bytes()).with_context(unusable)?;
            Ok(key.hash())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let file = std::fs::File::open(path).with_context(unusable)?;
            let metadata = file.metadata().with_context(unusable)?;
            anyhow::ensure!(
                metadata.is_file() && metadata.mode() & 0o077 == 0,
                "{}: others can read it: `chmod 600` it, or remove it and a new one is made",
                unusable()
            );
            let mut text = String::new();
            file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text).with_context(unusable)?;
            anyhow::ensure!(!text.trim().is_empty(), "{}: there is no key in it: remove it, and a new one is made", unusable());
            Ok(KeyHash::of(text.trim()))
        }
        Err(error) => Err(anyhow::Error::new(error).context(unusable())),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_this_user_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("isolet.key");
        let hash = key_in(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(KeyHash::of(std::fs::read_to_string(&path).unwrap().trim()), hash);
        assert_eq!(key_in(&path).unwrap(), hash);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(key_in(&path).unwrap_err().to_string().contains("others can read it"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "\n").unwrap();
        assert!(key_in(&path).unwrap_err().to_string().contains("there is no key in it"));
    }
}
