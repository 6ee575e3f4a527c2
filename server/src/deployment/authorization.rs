//! How the users of a deployment authorize servers, and what the service is called then.

use std::path::{Path, PathBuf};

use isolet::mcp::Url;
use isolet_identity::DatabaseAddress;
use toml::Spanned;

use super::file::{self, File};
use super::mistake::{Mistake, Text};
use super::secret_of::secret_of;

/// How users authorize servers.
#[derive(Clone, Default)]
pub(crate) struct Authorization {
    /// Where what they granted is kept.
    pub(crate) folder: Option<PathBuf>,
    /// The database that has it instead, for several replicas.
    pub(crate) database: Option<DatabaseAddress>,
    /// The application's page for them, and where they come back to.
    pub(crate) page: Option<(Url, Url)>,
    /// What authorization servers are told that this client is called.
    pub(crate) client_name: Option<String>,
}

/// What the file says of it.
pub(super) fn authorization(text: &Text, file: &File, mistakes: &mut Vec<Mistake>) -> Authorization {
    let said = &file.authorization;
    let page = said.page.as_ref().and_then(|page| address(text, "page", page, mistakes));
    let callback = said.callback.as_ref().and_then(|callback| address(text, "callback", callback, mistakes));
    if let (Some(alone), None) | (None, Some(alone)) = (&said.page, &said.callback) {
        let message = "`page` and `callback` of `[authorization]` belong together: write both, or neither and users get a page of this service";
        mistakes.push(text.mistake(alone.span().start, message));
    }
    let folder = text.path().parent().map(PathBuf::from).unwrap_or_default();
    Authorization {
        folder: said.folder.as_ref().map(|said| folder.join(said)),
        database: database(text, said, mistakes),
        page: page.zip(callback),
        client_name: said.client_name.clone(),
    }
}

/// The database, with its password.
fn database(text: &Text, said: &file::Authorization, mistakes: &mut Vec<Mistake>) -> Option<DatabaseAddress> {
    let (variable, path) = (said.database_password_env.as_ref(), said.database_password_file.as_ref());
    let Some(written) = &said.database else {
        if let Some(start) = variable.map(Spanned::span).or(path.map(Spanned::span)) {
            mistakes.push(text.mistake(start.start, "there is a password and no `database`: write its address"));
        }
        return None;
    };
    let address = match written.get_ref().parse::<DatabaseAddress>() {
        Ok(address) if address.has_password() => {
            Err("`database` has a password in it: write it to a file, and that into `database_password_file`".to_owned())
        }
        Ok(address) => Ok(address),
        Err(error) => Err(format!("`database`: {error}")),
    };
    let address = address.map_err(|message| mistakes.push(text.mistake(written.span().start, message))).ok()?;
    let address = match said.database_roots_file.as_ref().map(|file| roots(text, file)) {
        None => address,
        Some(Ok(roots)) => address.with_roots(roots),
        Some(Err(mistake)) => {
            mistakes.push(mistake);
            return None;
        }
    };
    match secret_of(text, variable, path) {
        None => Some(address),
        Some((_, Ok(password))) => Some(address.with_password(&password)),
        Some((offset, Err(message))) => {
            mistakes.push(text.mistake(offset, message));
            None
        }
    }
}

/// The authorities of the database.
fn roots(text: &Text, file: &Spanned<PathBuf>) -> Result<String, Mistake> {
    let path = text.path().parent().unwrap_or(Path::new("")).join(file.get_ref());
    let read = std::fs::read_to_string(&path);
    read.map_err(|error| {
        let message = format!("`database_roots_file` cannot be read: `{}`: {error}", path.display());
        text.mistake(file.span().start, message)
    })
}

/// What clients and browsers call the service.
pub(super) fn public_url(text: &Text, file: &File, mistakes: &mut Vec<Mistake>) -> Option<Url> {
    file.listener.public_url.as_ref().and_then(|url| address(text, "public_url", url, mistakes))
}

/// An address of https, or of this machine, to which a path can be added.
pub(super) fn address(text: &Text, what: &str, said: &Spanned<String>, mistakes: &mut Vec<Mistake>) -> Option<Url> {
    let url = Url::parse(said.get_ref()).ok().filter(|url| {
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here(url));
        is_safe && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
    });
    if url.is_none() {
        let message = format!(
            "`{what}` is no address: write one of https, such as `https://tools.example.com`, without a query (http on this machine alone)"
        );
        mistakes.push(text.mistake(said.span().start, message));
    }
    url
}

/// Whether an address is this machine's, as an operator writes that.
fn is_here(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}
