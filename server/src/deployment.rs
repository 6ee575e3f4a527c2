//! `isolet.toml`: who may call what, of which servers, and where it is served. Read once, as a whole: a mistake is said with its line and, where it is a
//! name, with the nearest one.

mod authorization;
mod file;
mod issuers;
mod merged;
mod mistake;
mod observed_shapes;
mod proxy;
mod rule;
mod secret_of;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use isolet::mcp::{
    ClassicNames, Configuration, Destination, Mode, OAuthGrant, Results, ServeOptions, ServerConfiguration, UpstreamOptions,
    Url, Variables,
};
use isolet::{Config, Principal, with_causes};
use isolet_http::{Faces, KeyHash};
use isolet_identity::Issuer;

pub(crate) use self::authorization::Authorization;
use self::file::{File, RunLimits};
pub(crate) use self::merged::User;
use self::mistake::Text;
pub(crate) use self::mistake::{Mistake, nearest};
pub(crate) use self::observed_shapes::ObservedShapes;
pub(crate) use self::proxy::Proxy;
pub(crate) use self::rule::{Rule, What};

/// The most bytes of the file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The port where none is said.
const PORT: u16 = 8808;
/// The longest that a run may be allowed to take, seconds: a day.
pub(crate) const WALL_SECONDS_MAX: u64 = 24 * 60 * 60;
/// The one user of a file that names none.
const LOCAL_USER: &str = "local";
/// The tables of the file that say what is made once, at the start.
const FIXED: [&str; 7] = ["authorization", "listener", "faces", "limits", "capacity", "upstream", "observed_shapes"];
/// How long a server of a pool waits for its next call before it is ended.
const IDLE_MAX: Duration = Duration::from_secs(10 * 60);

/// A deployment.
pub(crate) struct Deployment {
    pub(crate) path: PathBuf,
    /// The file, and the one that it names for its servers.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) address: SocketAddr,
    pub(crate) hosts: Vec<String>,
    pub(crate) origins: Vec<String>,
    /// What clients and browsers call this service.
    pub(crate) public_url: Option<Url>,
    pub(crate) authorization: Authorization,
    /// Where what results were like is kept, if it is.
    pub(crate) observed_shapes: Option<ObservedShapes>,
    pub(crate) faces: Faces,
    pub(crate) serve: ServeOptions,
    /// The runtime, with the limits of all runs.
    pub(crate) config: Config,
    pub(crate) capacity: file::Capacity,
    pub(crate) servers: Configuration,
    pub(crate) upstream: UpstreamOptions,
    pub(crate) users: BTreeMap<String, User>,
    /// Whose each key is.
    pub(crate) keys: BTreeMap<KeyHash, String>,
    /// What each role brings.
    pub(crate) roles: BTreeMap<String, User>,
    /// Whose word on whose a request is is taken.
    pub(crate) proxy: Option<Proxy>,
    /// Whose tokens are taken.
    pub(crate) issuers: Vec<Issuer>,
    /// What the file says of what is made once.
    fixed: BTreeMap<&'static str, toml::Value>,
}

impl Deployment {
    /// Reads `path`. Starts nothing.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub(crate) fn read(path: &Path) -> Result<Self, Vec<Mistake>> {
        let text = Text::read(path, FILE_BYTES_MAX).map_err(|mistake| vec![mistake])?;
        // Any other file is that of a client: it has servers and nothing else.
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        let mut file: File = if is_toml { text.parse().map_err(|mistake| vec![mistake])? } else { File::default() };
        let fixed = if is_toml { fixed(&text).map_err(|mistake| vec![mistake])? } else { BTreeMap::new() };
        let mut mistakes = Vec::new();
        let variables = Variables::allowing(file.upstream.env.iter().cloned()).allowed_by(way_of_variable);
        let servers = if is_toml { servers(&text, &file, &variables) } else { servers_of(path, &variables) };
        let servers = servers.unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            Configuration::default()
        });
        mistakes.extend(servers.refused().map(|(_, error)| Mistake::of_file(path, with_causes(&**error))));
        let names: Vec<String> =
            servers.servers().map(|(name, _)| name).chain(servers.refused().map(|(name, _)| name)).map(str::to_owned).collect();
        let mut users = merged::users(&text, &file, &names, &mut mistakes);
        // Who comes with a token, or is named by a proxy, is none of these.
        if users.is_empty() && file.issuers.is_empty() && file.proxy.is_none() {
            let everything = User { rules: Arc::new(vec![Rule::everything()]), ..User::default() };
            users.insert(LOCAL_USER.to_owned(), everything);
        }
        let keys = keys(&text, &file, &mut mistakes);
        let roles = merged::roles(&text, &file);
        let issuers = issuers::issuers(&text, &file, &roles, &mut mistakes);
        let proxy = proxy::proxy(&text, &file, &roles, &mut mistakes);
        let faces = faces(&text, &file, &mut mistakes);
        let config = config(&text, &file, &mut mistakes);
        let serve = serve_options(&text, &file, &mut mistakes);
        let upstream = upstream(&text, &file, config.limits.wall_max, &mut mistakes);
        let address = address(&text, &file, &mut mistakes);
        let public_url = authorization::public_url(&text, &file, &mut mistakes);
        let authorization = authorization::authorization(&text, &file, &mut mistakes);
        let observed_shapes = observed_shapes::observed_shapes(&text, &file, &names, &mut mistakes);
        if !issuers.is_empty() && public_url.is_none() && !address.ip().is_loopback() {
            let message = "tokens say what service they are for: write `public_url`, which clients call it, into `[listener]`";
            mistakes.push(Mistake::of_file(path, message));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let (hosts, origins) = (std::mem::take(&mut file.listener.hosts), std::mem::take(&mut file.listener.origins));
        let capacity = file.capacity;
        let named = file.config.as_ref().map(|config| named(path, config.get_ref()));
        let path = path.to_owned();
        let files = [path.clone()].into_iter().chain(named).collect();
        Ok(Self {
            path,
            files,
            address,
            hosts,
            origins,
            public_url,
            authorization,
            observed_shapes,
            faces,
            serve,
            config,
            capacity,
            servers,
            upstream,
            users,
            keys,
            roles,
            proxy,
            issuers,
            fixed,
        })
    }

    /// The tables in which `other` says something else of what is made once: there it takes another start.
    pub(crate) fn fixed_otherwise<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'static str> + 'a {
        FIXED.into_iter().filter(|table| self.fixed.get(table) != other.fixed.get(table))
    }

    /// The principal whose user has this name.
    pub(crate) fn principal(&self, name: &str) -> Principal {
        let roles = self.users.get(name).into_iter().flat_map(|user| &user.roles);
        roles.fold(Principal::new(name), Principal::with_role)
    }

    /// What clients and browsers call the service that listens at `address`; none where the file says none and others can reach it.
    pub(crate) fn base(&self, address: SocketAddr) -> Option<Url> {
        let here = || Url::parse(&format!("http://{address}")).ok().filter(|_| address.ip().is_loopback());
        self.public_url.clone().or_else(here)
    }

    /// Whether any server asks its users for authorization.
    pub(crate) fn asks_users(&self) -> bool {
        self.servers.servers().any(|(_, server)| server.asks_users())
    }

    /// Whether any server is sent a token in exchange for the one that came with a request.
    pub(crate) fn exchanges_tokens(&self) -> bool {
        let grant = |server: &ServerConfiguration| server.credentials().oauth.as_ref().map(|settings| settings.grant);
        let exchanges = |grant| matches!(grant, Some(OAuthGrant::TokenExchange | OAuthGrant::EnterpriseManaged));
        self.servers.servers().any(|(_, server)| exchanges(grant(server)))
    }

    /// Where what users authorize is kept.
    pub(crate) fn credentials_folder(&self) -> PathBuf {
        self.authorization.folder.clone().unwrap_or_else(|| self.path.with_extension("credentials"))
    }
}

/// What a text says of what is made once.
fn fixed(text: &Text) -> Result<BTreeMap<&'static str, toml::Value>, Mistake> {
    let mut table: toml::Table = text.parse()?;
    Ok(FIXED.into_iter().filter_map(|name| Some((name, table.remove(name)?))).collect())
}

/// How the variable `name` is allowed in such a file.
fn way_of_variable(name: &str) -> String {
    format!("`env = [\"{name}\"]` in `[upstream]`")
}

/// The servers of a file that has nothing else.
fn servers_of(path: &Path, variables: &Variables) -> Result<Configuration, Mistake> {
    Configuration::read_with(path, variables).map_err(|error| Mistake::of_file(path, with_causes(&error)))
}

/// The servers: those of the file itself, or of the one that it names.
fn servers(text: &Text, file: &File, variables: &Variables) -> Result<Configuration, Mistake> {
    match (&file.config, &file.servers) {
        (Some(config), None) => {
            let read = Configuration::read_with(named(text.path(), config.get_ref()), variables);
            read.map_err(|error| text.mistake(config.span().start, with_causes(&error)))
        }
        (None, Some(_)) => servers_of(text.path(), variables),
        (Some(config), Some(_)) => {
            Err(text.mistake(config.span().start, "`config` and `servers` both name servers: keep one of them"))
        }
        (None, None) => Err(Mistake::of_file(
            text.path(),
            "there are no servers: add `[servers.NAME]` with a `command` or a `url`, or `config = \"servers.json\"`",
        )),
    }
}

/// The file that `path` calls `config`.
fn named(path: &Path, config: impl AsRef<Path>) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).join(config)
}

fn keys(text: &Text, file: &File, mistakes: &mut Vec<Mistake>) -> BTreeMap<KeyHash, String> {
    let mut keys = BTreeMap::new();
    for (name, user) in &file.users {
        for key in &user.keys {
            let offset = key.span().start;
            match key.get_ref().parse::<KeyHash>() {
                Err(error) => mistakes.push(text.mistake(offset, error.to_string())),
                Ok(hash) => {
                    if let Some(other) = keys.insert(hash, name.clone()) {
                        mistakes.push(
                            text.mistake(offset, format!("this key is `{other}`'s too: give each user a key of their own")),
                        );
                    }
                }
            }
        }
    }
    keys
}

fn faces(text: &Text, file: &File, mistakes: &mut Vec<Mistake>) -> Faces {
    const NAMES: [&str; 4] = ["run", "code", "classic", "search"];
    let mut faces = Faces::default();
    let Some(enabled) = &file.faces.enabled else { return faces };
    (faces.run, faces.code, faces.classic, faces.search) = (false, false, false, false);
    for name in enabled {
        match name.get_ref().as_str() {
            "run" => faces.run = true,
            "code" => faces.code = true,
            "classic" => faces.classic = true,
            "search" => faces.search = true,
            other => {
                let hint = nearest(other, NAMES);
                mistakes.push(text.mistake(name.span().start, format!("there is no face `{other}`: {hint}")));
            }
        }
    }
    faces
}

fn serve_options(text: &Text, file: &File, mistakes: &mut Vec<Mistake>) -> ServeOptions {
    let mut options = ServeOptions::new(Mode::Code);
    options.index_tokens_max = file.faces.index_tokens.unwrap_or(options.index_tokens_max);
    options.always_offers_search = file.faces.always_search;
    options.result_tokens_max = file.faces.result_tokens.unwrap_or(options.result_tokens_max);
    let results = [("both", Results::Both), ("text", Results::Text), ("structured", Results::Structured)];
    let names = [("server", ClassicNames::OfServer), ("bare", ClassicNames::Bare)];
    options.results = one_of(text, "results", file.faces.results.as_ref(), results, mistakes).unwrap_or(options.results);
    options.names = one_of(text, "names", file.faces.names.as_ref(), names, mistakes).unwrap_or(options.names);
    options
}

/// What the word `written` for `key` means, if it is written.
fn one_of<T: Copy, const N: usize>(
    text: &Text,
    key: &str,
    written: Option<&toml::Spanned<String>>,
    words: [(&'static str, T); N],
    mistakes: &mut Vec<Mistake>,
) -> Option<T> {
    let written = written?;
    let meant = words.iter().find(|(word, _)| word == written.get_ref()).map(|(_, meaning)| *meaning);
    if meant.is_none() {
        let (word, hint) = (written.get_ref(), nearest(written.get_ref(), words.map(|(word, _)| word)));
        mistakes.push(text.mistake(written.span().start, format!("`{key}` cannot be `{word}`: {hint}")));
    }
    meant
}

/// The limits of all runs, and how many runs there may be.
fn config(text: &Text, file: &File, mistakes: &mut Vec<Mistake>) -> Config {
    let mut config = Config::default();
    let RunLimits { wall_seconds_max, cpu_seconds_max, heap_mib_max, calls_max } = &file.limits;
    let limits = &mut config.limits;
    if let Some(seconds) = wall_seconds_max {
        if *seconds.get_ref() > WALL_SECONDS_MAX || *seconds.get_ref() == 0 {
            let message = format!("`wall_seconds_max` is {}: it can be 1 to {WALL_SECONDS_MAX}", seconds.get_ref());
            mistakes.push(text.mistake(seconds.span().start, message));
        }
        limits.wall_max = Duration::from_secs(*seconds.get_ref());
    }
    if let Some(seconds) = cpu_seconds_max {
        limits.cpu_max = Duration::from_secs(*seconds.get_ref());
    }
    if let Some(mib) = heap_mib_max {
        limits.heap_bytes_max = mib.get_ref().saturating_mul(1 << 20);
        if !(8..=4096).contains(mib.get_ref()) {
            let message = format!("`heap_mib_max` is {}: it can be 8 to 4096", mib.get_ref());
            mistakes.push(text.mistake(mib.span().start, message));
        }
    }
    if let Some(calls) = calls_max {
        limits.calls_max = *calls.get_ref();
    }
    config.live_runs_max = file.capacity.live_runs_max.unwrap_or(config.live_runs_max);
    config.live_runs_of_user_max = file.capacity.live_runs_of_user_max.unwrap_or((config.live_runs_max / 4).max(1));
    config
}

/// How servers are started and called.
fn upstream(text: &Text, file: &File, wall_max: Duration, mistakes: &mut Vec<Mistake>) -> UpstreamOptions {
    let mut options = UpstreamOptions::default();
    let seconds = |seconds: Option<u64>, default: Duration| seconds.map_or(default, Duration::from_secs);
    options.start_max = seconds(file.upstream.start_seconds_max, options.start_max);
    options.idle_max = seconds(file.upstream.idle_seconds_max, IDLE_MAX);
    options.answer_max = seconds(file.upstream.answer_seconds_max, options.answer_max);
    // A call may take as long as the run that makes it.
    options.call_max = seconds(file.upstream.call_seconds_max, options.call_max.max(wall_max));
    options.servers_max = file.upstream.servers_max.unwrap_or(options.servers_max);
    options.environment.clone_from(&file.upstream.env);
    for written in &file.upstream.allow_addresses {
        match written.get_ref().parse::<Destination>() {
            Ok(destination) => options.policy.allowed.push(destination),
            Err(error) => mistakes.push(text.mistake(written.span().start, error.to_string())),
        }
    }
    options
}

fn address(text: &Text, file: &File, mistakes: &mut Vec<Mistake>) -> SocketAddr {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let Some(address) = &file.listener.address else { return default };
    address.get_ref().parse().unwrap_or_else(|_| {
        let message = format!("`{}` is no address to listen at: write one such as `{default}`", address.get_ref());
        mistakes.push(text.mistake(address.span().start, message));
        default
    })
}

/// What is said of all mistakes: one line each.
pub(crate) fn fault_of(mistakes: &[Mistake]) -> crate::fault::Fault {
    let (last, others) = match mistakes.split_last() {
        Some((last, others)) => (last.to_string(), others),
        None => (String::new(), &[][..]),
    };
    others.iter().for_each(|mistake| crate::terminal::say(&mistake.to_string()));
    crate::fault::Fault::usage(anyhow::anyhow!(last))
}
