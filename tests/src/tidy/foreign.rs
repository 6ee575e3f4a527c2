//! Which crates of others the public items of a library name: each makes that crate's major version the library's own.
//!
//! `unreachable_pub` is denied, so what is `pub` can be named from outside, and is looked at wherever it is defined.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use libtest_mimic::Failed;
use syn::visit::{self, Visit};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, ItemUse, Meta, Type, UseTree, Visibility};

/// The crates that every library may name: what they have is as stable as the standard library, or is what Rust has instead of it.
const EVERYWHERE: [&str; 4] = ["std", "serde", "serde_json", "tokio"];

/// What else each library may name, and is about.
const NAMED: [(&str, &[&str]); 11] = [
    ("bindings", &[]),
    ("observations", &[]),
    // Made for this version of the engine.
    ("snapshots", &["deno_core"]),
    // A run is cancelled as its embedder cancels everything else.
    ("runtime", &["tokio_util"]),
    ("rpc", &["tokio_util"]),
    // Its client is reqwest's, for libraries that want one, and its TLS rustls's, for those that are no HTTP.
    ("outbound", &["reqwest", "rustls", "url"]),
    ("openapi", &[]),
    // A router that an application nests in its own. `BoxFuture` is but another name of what the standard library has.
    ("http", &["axum", "futures", "url"]),
    ("identity", &["zeroize"]),
    ("comparison", &["anyhow"]),
    ("server", &[]),
];

/// What macros make of these is no name of theirs.
const WITHOUT_TRACE: [&str; 1] = ["thiserror"];

/// The libraries, by their folders.
pub(super) fn libraries() -> impl Iterator<Item = &'static str> {
    NAMED.into_iter().map(|(library, _)| library)
}

/// What the public items in `files` of a library name that is not listed for it, and what is listed and named no more: a line each.
pub(super) fn not_as_listed(library: &str, manifest: &str, files: &[(PathBuf, String)]) -> Result<Vec<String>, Failed> {
    let listed = NAMED.into_iter().find(|(other, _)| *other == library).map(|(_, listed)| listed).unwrap_or_default();
    let found = named_in(files, &dependencies(manifest)?)?;
    let unlisted = found.iter().filter(|(name, _)| !EVERYWHERE.contains(&&***name) && !listed.contains(&&***name));
    let mut wrong: Vec<String> = unlisted
        .flat_map(|(name, places)| places.iter().map(move |place| format!("{library} names `{name}`: {place}")))
        .collect();
    let unused = listed.iter().filter(|name| !found.contains_key(**name));
    wrong.extend(unused.map(|name| format!("{library} does not name `{name}` any more: take it off the list")));
    Ok(wrong)
}

pub(super) fn a_crate_is_found_in_every_public_item_and_in_no_other() -> Result<(), Failed> {
    for (item, is_found) in [
        ("pub struct A { pub b: far::B }", true),
        ("pub struct A { b: far::B }", false),
        ("struct A { pub b: far::B }", false),
        ("pub struct A(pub Vec<far::B>);", true),
        ("pub struct A(far::B);", false),
        ("pub enum A { B(far::B) }", true),
        ("enum A { B(far::B) }", false),
        ("pub fn a(b: &far::B) {}", true),
        ("pub fn a() -> Option<B> {} use far::B;", true),
        ("pub fn a() -> Option<C> {} use far::{B as C, D};", true),
        ("pub fn a() -> Option<B> {} use super::B;", false),
        ("pub fn a() -> b::B {} use far::b::{self, C};", true),
        ("pub struct A; impl std::str::FromStr for A { type Err = far::B; }", true),
        ("pub(crate) fn a(b: far::B) {}", false),
        ("pub fn a() { far::b() }", false),
        ("pub fn a<B>() where B: far::B {}", true),
        ("pub trait A { fn b(&self, b: far::B); }", true),
        ("pub trait A: far::B {}", true),
        ("pub use far::B;", true),
        ("pub type A = far::B;", true),
        ("pub struct A; impl A { pub fn b(&self) -> far::B {} }", true),
        ("pub struct A; impl A { fn b(&self) -> far::B {} }", false),
        ("struct A; impl A { pub fn b(&self) -> far::B {} }", false),
        ("pub struct A; impl far::B for A {}", true),
        ("pub struct A; impl From<far::B> for A { fn from(b: far::B) {} }", true),
        ("struct A; impl far::B for A {}", false),
        ("#[derive(far::B)] pub struct A;", true),
        ("#[derive(B)] pub struct A; use far::B;", true),
        ("mod a { pub fn b() -> far::B {} }", true),
        ("#[cfg(test)] mod a { pub fn b() -> far::B {} }", false),
    ] {
        let found = named_in(&[(PathBuf::new(), item.to_owned())], &["far".to_owned()])?;
        if found.contains_key("far") != is_found {
            return Err(format!("`{item}`: {found:?}").into());
        }
    }
    Ok(())
}

/// The crates of others that a manifest names as dependencies.
fn dependencies(manifest: &str) -> Result<Vec<String>, Failed> {
    let manifest: toml::Value = toml::from_str(manifest)?;
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets.into_iter().flat_map(|targets| targets.iter().map(|(_, table)| table)).chain([&manifest]);
    let tables = tables.filter_map(|table| table.get("dependencies")?.as_table());
    let crates = tables.flat_map(|table| table.iter().map(|(name, _)| name.replace('-', "_")));
    Ok(crates.filter(|name| !name.starts_with("isolet")).collect())
}

/// The crates that public items name, with where.
fn named_in(files: &[(PathBuf, String)], crates: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>, Failed> {
    let mut parsed = Vec::new();
    for (path, text) in files {
        parsed.push((path, syn::parse_file(text).map_err(|error| format!("{}: {error}", path.display()))?));
    }
    let mut types = BTreeSet::new();
    parsed.iter().for_each(|(_, file)| note_types(&file.items, true, &mut types));
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for (path, file) in &parsed {
        // A type of this file that has the name of a public one elsewhere is meant here.
        let mut private = BTreeSet::new();
        note_types(&file.items, false, &mut private);
        let types = &types - &private;
        let mut reader =
            Reader { crates, types: &types, imported: BTreeMap::new(), path: path.display().to_string(), found: &mut found };
        reader.read(&file.items);
    }
    Ok(found)
}

/// The names of the types that are public, or that are not.
fn note_types(items: &[Item], are_public: bool, types: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Struct(item) if is_public(&item.vis) == are_public => _ = types.insert(item.ident.to_string()),
            Item::Enum(item) if is_public(&item.vis) == are_public => _ = types.insert(item.ident.to_string()),
            Item::Mod(item) => item.content.iter().for_each(|(_, items)| note_types(items, are_public, types)),
            _ => {}
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test =
        |meta: &Meta| matches!(meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string().contains("test"));
    attributes.iter().any(|attribute| is_test(&attribute.meta))
}

/// Reads the public items of a file.
struct Reader<'r> {
    crates: &'r [String],
    types: &'r BTreeSet<String>,
    /// The names that this file has of those crates, and of which.
    imported: BTreeMap<String, String>,
    path: String,
    found: &'r mut BTreeMap<String, BTreeSet<String>>,
}

impl Reader<'_> {
    fn read(&mut self, items: &[Item]) {
        for item in items {
            if let Item::Use(item) = item {
                self.import(item);
            }
        }
        for item in items {
            match item {
                Item::Fn(item) if is_public(&item.vis) => self.visit_signature(&item.sig),
                Item::Struct(item) if is_public(&item.vis) => {
                    self.derived(&item.attrs);
                    self.visit_generics(&item.generics);
                    self.fields(&item.fields, false);
                }
                Item::Enum(item) if is_public(&item.vis) => {
                    self.derived(&item.attrs);
                    self.visit_generics(&item.generics);
                    item.variants.iter().for_each(|variant| self.fields(&variant.fields, true));
                }
                Item::Trait(item) if is_public(&item.vis) => {
                    let mut bare = item.clone();
                    bare.items.iter_mut().for_each(|item| {
                        if let syn::TraitItem::Fn(function) = item {
                            function.default = None;
                        }
                    });
                    self.visit_item_trait(&bare);
                }
                Item::Type(item) if is_public(&item.vis) => self.visit_type(&item.ty),
                Item::Const(item) if is_public(&item.vis) => self.visit_type(&item.ty),
                Item::Impl(item) => self.implemented(item),
                Item::Mod(item) if !is_for_tests(&item.attrs) => {
                    if let Some((_, items)) = &item.content {
                        self.read(items);
                    }
                }
                _ => {}
            }
        }
    }

    fn fields(&mut self, fields: &Fields, are_public: bool) {
        let named = fields.iter().filter(|field| are_public || is_public(&field.vis));
        named.for_each(|field| self.visit_type(&field.ty));
    }

    fn implemented(&mut self, item: &ItemImpl) {
        let Type::Path(own) = &*item.self_ty else { return };
        if !own.path.segments.last().is_some_and(|name| self.types.contains(&name.ident.to_string())) {
            return;
        }
        match &item.trait_ {
            Some((_, path, _)) => {
                self.visit_path(path);
                for item in &item.items {
                    if let ImplItem::Type(named) = item {
                        self.visit_type(&named.ty);
                    }
                }
            }
            None => {
                for item in &item.items {
                    match item {
                        ImplItem::Fn(function) if is_public(&function.vis) => self.visit_signature(&function.sig),
                        ImplItem::Const(constant) if is_public(&constant.vis) => self.visit_type(&constant.ty),
                        _ => {}
                    }
                }
            }
        }
    }

    fn derived(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let paths = attribute.parse_args_with(syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated);
            paths.iter().flatten().for_each(|path| self.visit_path(path));
        }
    }

    fn import(&mut self, item: &ItemUse) {
        let (mut root, mut names) = (String::new(), Vec::new());
        flatten(&item.tree, "", &mut root, &mut names);
        if !self.crates.contains(&root) {
            return;
        }
        if is_public(&item.vis) {
            self.note(&root, "a re-export");
        }
        self.imported.extend(names.into_iter().map(|name| (name, root.clone())));
    }

    fn note(&mut self, name: &str, what: &str) {
        if !WITHOUT_TRACE.contains(&name) {
            self.found.entry(name.to_owned()).or_default().insert(format!("{}, {what}", self.path));
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let own = self.crates.contains(&first) && path.segments.len() > 1;
        if let Some(name) = self.imported.get(&first).cloned().or_else(|| own.then(|| first.clone())) {
            let path = path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::");
            self.note(&name, &path);
        }
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// The first segment of a `use`, and the names that it brings; `last` is the segment before.
fn flatten(tree: &UseTree, last: &str, root: &mut String, names: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => {
            let segment = path.ident.to_string();
            if root.is_empty() {
                root.clone_from(&segment);
            }
            flatten(&path.tree, &segment, root, names);
        }
        UseTree::Name(name) if name.ident == "self" => names.push(last.to_owned()),
        UseTree::Name(name) => names.push(name.ident.to_string()),
        UseTree::Rename(name) => names.push(name.rename.to_string()),
        UseTree::Glob(_) => {}
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, last, root, names)),
    }
}
