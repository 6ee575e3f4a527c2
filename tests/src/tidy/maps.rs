//! The maps that requests of many principals share: each is keyed by whose an entry is, or says why it need not be.
//!
//! Shared is what stands behind a lock, and what is in that. A key is a principal's if a principal is somewhere in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;
use syn::{Attribute, Fields, GenericArgument, Item, Meta, PathArguments, Type};

/// Where what serves requests is.
pub(super) const FOLDERS: [&str; 5] = ["runtime/src/mcp", "runtime/src/host", "identity/src", "http/src", "server/src"];

/// The maps whose key is a principal's, by their file and their key.
const OF_PRINCIPALS: [(&str, &str); 11] = [
    ("http/src/request_slots.rs", "PrincipalKey"),
    ("identity/src/ask.rs", "GrantKey"),
    ("identity/src/granted_tokens.rs", "Purpose"),
    ("identity/src/memory_store.rs", "GrantKey"),
    ("identity/src/ready_tokens.rs", "GrantKey"),
    ("identity/src/subject_tokens.rs", "PrincipalKey"),
    ("identity/src/turns.rs", "GrantKey"),
    ("runtime/src/mcp/asking.rs", "PrincipalKey"),
    ("runtime/src/mcp/known_lists.rs", "ListKey"),
    ("runtime/src/mcp/upstreams.rs", "Key"),
    ("server/src/serve/visitors.rs", "Key"),
];

/// The others, and why nobody gets what is another's.
const OF_OTHERS: [(&str, &str, &str); 28] = [
    ("http/src/browsers.rs", "String", "a random cookie; the entry says whose it is, and that is compared"),
    ("http/src/connections.rs", "u64", "the number of a connection, which belongs to nobody"),
    ("http/src/counters.rs", "(String, String)", "a route and a status: how often, never who"),
    ("http/src/mcp/store.rs", "String", "a random id; the entry says whose it is, and that is compared"),
    ("http/src/mcp/waiting.rs", "u64", "the requests of one session"),
    ("identity/src/flow.rs", "String", "a random state; the entry says whose it is, and that is compared"),
    ("identity/src/introspection.rs", "[u8]", "the hash of a token: whoever has that token is whose it is"),
    ("runtime/src/host/pool/scopes.rs", "ContentHash", "processes of a scope, before any run of anybody"),
    (
        "runtime/src/host/slots.rs",
        "User",
        "the name that `Session::of_user` was given: tenant and user in `http/src/shared.rs`",
    ),
    ("runtime/src/host/snapshots/memory.rs", "ContentHash", "snapshots of a scope, before any run of anybody"),
    ("runtime/src/host/zygote.rs", "u64", "the number of a run"),
    ("runtime/src/mcp/apis.rs", "(Document, Vec<String>)", "documents, which are read without any credential"),
    ("runtime/src/mcp/credential_source.rs", "String", "the names of header fields, within what is one principal's"),
    ("runtime/src/mcp/entry_credentials.rs", "String", "the names of header fields, within the operator's configuration"),
    ("runtime/src/mcp/http_line.rs", "i64", "the requests of one connection"),
    ("runtime/src/mcp/log_gate.rs", "String", "a server: how often it was logged, never what"),
    ("runtime/src/mcp/ongoing.rs", "String", "the questions of one call"),
    ("runtime/src/mcp/open_calls.rs", "String", "a random state; the entry says whose it is, and that is compared"),
    ("runtime/src/mcp/pending.rs", "i64", "the requests of one connection"),
    ("runtime/src/mcp/secret_value.rs", "Vec<String>", "a command of the operator's configuration, which is everybody's"),
    ("runtime/src/mcp/server_configuration.rs", "String", "the names of header fields, within the operator's configuration"),
    ("runtime/src/mcp/subscriptions.rs", "String", "the addresses that one client watches"),
    ("runtime/src/mcp/watches.rs", "String", "the addresses that are watched over one connection"),
    ("server/src/exec/calls.rs", "u64", "the calls of one caller of `isolet exec`"),
    ("server/src/exec/params.rs", "String", "what one caller of `isolet exec` has sent"),
    ("server/src/exec/scopes.rs", "String", "the scopes of one caller of `isolet exec`"),
    ("server/src/serve/user_sessions.rs", "String", "the users and roles of the file; a user of `[users]` is in no tenant"),
    ("server/src/said.rs", "String", "a server: what was said of it on the terminal of one user"),
];

/// What is wrong with the maps in `files`: one that is not listed, one that is listed and not there, or one whose key is not what its list says.
pub(super) fn not_as_listed(root: &Path, files: &[(PathBuf, String)]) -> Result<Vec<String>, Failed> {
    let types = Types::of(root, files)?;
    let found = types.shared_maps();
    let by_principal: BTreeSet<(&str, &str)> = OF_PRINCIPALS.into_iter().collect();
    let by_others: BTreeSet<(&str, &str)> = OF_OTHERS.iter().map(|(file, key, _)| (*file, *key)).collect();
    let mut wrong = Vec::new();
    for (file, key) in &found {
        let place = (file.as_str(), key.text.as_str());
        let is_principals = types.has_principal(&key.of, file, &mut BTreeSet::new());
        if !by_principal.contains(&place) && !by_others.contains(&place) {
            wrong.push(format!("{file}: the map by `{}` is on no list: whose are its entries", key.text));
        } else if is_principals != by_principal.contains(&place) {
            wrong.push(format!("{file}: the map by `{}` is on the wrong list", key.text));
        }
    }
    let is_there = |place: &(&str, &str)| found.iter().any(|(file, key)| (file.as_str(), key.text.as_str()) == *place);
    let gone = by_principal.iter().chain(&by_others).filter(|place| !is_there(place));
    wrong.extend(gone.map(|(file, key)| format!("{file} has no shared map by `{key}` any more: take it off the list")));
    Ok(wrong)
}

/// The key of a map.
struct Key {
    text: String,
    of: Type,
}

/// What types are made of, by their file and name.
struct Types(BTreeMap<(String, String), Vec<Type>>);

impl Types {
    fn of(root: &Path, files: &[(PathBuf, String)]) -> Result<Self, Failed> {
        let mut types = BTreeMap::new();
        for (path, text) in files {
            let file = path.strip_prefix(root)?.display().to_string();
            note(&file, &syn::parse_file(text)?.items, &mut types);
        }
        Ok(Self(types))
    }

    /// The maps behind locks, with their files: each pair of a file and a key once.
    fn shared_maps(&self) -> Vec<(String, Key)> {
        let mut found = BTreeMap::new();
        for ((file, _), parts) in &self.0 {
            for part in parts {
                let mut locked = Vec::new();
                locked_in(part, &mut locked);
                for held in locked {
                    self.maps_in(held, file, &mut BTreeSet::new(), &mut found);
                }
            }
        }
        found.into_iter().map(|((file, text), of)| (file, Key { text, of })).collect()
    }

    fn maps_in(
        &self,
        of: &Type,
        file: &str,
        seen: &mut BTreeSet<(String, String)>,
        found: &mut BTreeMap<(String, String), Type>,
    ) {
        let Some((name, arguments)) = named(of) else { return };
        let is_map = name == "HashMap" || name == "BTreeMap";
        if let Some(key) = arguments.first().filter(|_| is_map) {
            found.insert((file.to_owned(), text_of(key)), (*key).clone());
        }
        // What is in a key tells entries apart, and is none.
        for argument in arguments.into_iter().skip(usize::from(is_map)) {
            self.maps_in(argument, file, seen, found);
        }
        for (place, parts) in self.defined(&name, file) {
            if seen.insert(place.clone()) {
                parts.iter().for_each(|part| self.maps_in(part, &place.0, seen, found));
            }
        }
    }

    /// Whether a principal is somewhere in it.
    fn has_principal(&self, of: &Type, file: &str, seen: &mut BTreeSet<(String, String)>) -> bool {
        if let Type::Tuple(tuple) = of {
            return tuple.elems.iter().any(|part| self.has_principal(part, file, seen));
        }
        let Some((name, arguments)) = named(of) else { return false };
        if name == "PrincipalKey" || name == "Principal" || arguments.iter().any(|part| self.has_principal(part, file, seen)) {
            return true;
        }
        let defined: Vec<_> = self.defined(&name, file).collect();
        defined.into_iter().any(|(place, parts)| {
            seen.insert(place.clone()) && parts.iter().any(|part| self.has_principal(part, &place.0, seen))
        })
    }

    /// The types of this name: that of the file, else those of its crate.
    fn defined(&self, name: &str, file: &str) -> impl Iterator<Item = (&(String, String), &Vec<Type>)> {
        let own = self.0.get_key_value(&(file.to_owned(), name.to_owned()));
        let (name, folder) = (name.to_owned(), file.split("/src/").next().unwrap_or_default().to_owned());
        let is_near = move |place: &(String, String)| place.1 == name && place.0.split("/src/").next() == Some(folder.as_str());
        let others = self.0.iter().filter(move |(place, _)| own.is_none() && is_near(place));
        own.into_iter().chain(others)
    }
}

/// Notes the types that these items define, but for tests.
fn note(file: &str, items: &[Item], types: &mut BTreeMap<(String, String), Vec<Type>>) {
    let fields = |fields: &Fields| fields.iter().map(|field| field.ty.clone()).collect::<Vec<Type>>();
    for item in items {
        let (name, parts) = match item {
            Item::Struct(item) => (&item.ident, fields(&item.fields)),
            Item::Enum(item) => (&item.ident, item.variants.iter().flat_map(|variant| fields(&variant.fields)).collect()),
            Item::Type(item) => (&item.ident, vec![(*item.ty).clone()]),
            Item::Static(item) => (&item.ident, vec![(*item.ty).clone()]),
            Item::Mod(item) => {
                if !is_for_tests(&item.attrs) {
                    item.content.iter().for_each(|(_, items)| note(file, items, types));
                }
                continue;
            }
            _ => continue,
        };
        types.insert((file.to_owned(), name.to_string()), parts);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string().contains("test"))
    })
}

/// What locks in this type hold.
fn locked_in<'t>(of: &'t Type, found: &mut Vec<&'t Type>) {
    let Some((name, arguments)) = named(of) else { return };
    for argument in arguments {
        if name == "Mutex" || name == "RwLock" {
            found.push(argument);
        }
        locked_in(argument, found);
    }
}

/// The last name of a type, and what it is of.
fn named(of: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last()?;
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
        _ => Vec::new(),
    };
    let types = arguments.into_iter().filter_map(|argument| match argument {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    });
    Some((last.ident.to_string(), types.collect()))
}

/// A type as the lists name it.
fn text_of(of: &Type) -> String {
    match of {
        Type::Tuple(tuple) => format!("({})", tuple.elems.iter().map(text_of).collect::<Vec<_>>().join(", ")),
        Type::Array(array) => format!("[{}]", text_of(&array.elem)),
        Type::Reference(reference) => text_of(&reference.elem),
        of => named(of).map_or_else(String::new, |(name, arguments)| match arguments.as_slice() {
            [] => name,
            parts => format!("{name}<{}>", parts.iter().map(|part| text_of(part)).collect::<Vec<_>>().join(", ")),
        }),
    }
}

/// That the walk sees what it should.
pub(super) fn shared_maps_are_found_wherever_they_are() -> Result<(), Failed> {
    let file = |text: &str| vec![(PathBuf::from("/root/a/src/b.rs"), text.to_owned())];
    for (text, expected, is_principals) in [
        ("struct A(Mutex<HashMap<PrincipalKey, u8>>);", "PrincipalKey", true),
        ("struct A { b: Arc<RwLock<BTreeMap<Place, u8>>> } struct Place { c: Option<Principal> }", "Place", true),
        (
            "struct A { b: Mutex<State> } struct State { c: Vec<Part> } struct Part { d: HashMap<(String, u8), u8> }",
            "(String, u8)",
            false,
        ),
        ("type Key = (PrincipalKey, u8); struct A { b: Mutex<HashMap<Key, u8>> }", "Key", true),
        ("struct A { b: Mutex<B> } type B = HashMap<[u8; 32], u8>;", "[u8]", false),
        ("struct A { b: HashMap<String, u8> }", "", false),
        ("#[cfg(test)] mod tests { struct A { b: Mutex<HashMap<String, u8>> } }", "", false),
    ] {
        let types = Types::of(Path::new("/root"), &file(text))?;
        let found = types.shared_maps();
        let texts: Vec<&str> = found.iter().map(|(_, key)| key.text.as_str()).collect();
        let are_principals = found.iter().all(|(file, key)| types.has_principal(&key.of, file, &mut BTreeSet::new()));
        if texts != Vec::from_iter(Some(expected).filter(|expected| !expected.is_empty()))
            || (are_principals != is_principals && !texts.is_empty())
        {
            return Err(format!("{text}: {texts:?}, {are_principals}").into());
        }
    }
    Ok(())
}
