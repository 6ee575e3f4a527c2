//! The modules of a crate, and what each names: read from its source as the compiler finds it, tests left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Item, ItemUse, Lit, Macro, Meta, UseTree, Visibility};

/// The segments of a path: `crate::name::is_word`.
pub(super) type Segments = Vec<String>;

/// The modules of one crate: of a library, a program or a test binary. The first is its root.
#[derive(Debug, Default)]
pub(super) struct Crate {
    pub(super) modules: Vec<Module>,
}

/// One module, in a file of its own or within one.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    /// What it defines.
    pub(super) items: BTreeSet<String>,
    /// The names that it has from elsewhere, and from where.
    pub(super) aliases: BTreeMap<String, Segments>,
    /// The modules of which it has every name.
    pub(super) globs: Vec<Segments>,
    /// What it names for itself.
    pub(super) named: Vec<Segments>,
    /// What it hands on under its own name.
    pub(super) handed_on: Vec<Segments>,
}

/// One name of a `use`.
struct Import {
    path: Segments,
    /// What it is called here; nothing for all names of a module.
    name: Option<String>,
}

impl Crate {
    /// The crate with the root `file`.
    pub(super) fn read(file: &Path) -> Result<Self, Failed> {
        let mut read = Self::default();
        let folder = file.parent().ok_or("a file is in a folder")?.to_owned();
        read.add_file(None, file.to_owned(), &folder)?;
        Ok(read)
    }

    /// Adds the module in `file`, whose children are in `folder`; its place.
    fn add_file(&mut self, parent: Option<usize>, file: PathBuf, folder: &Path) -> Result<usize, Failed> {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let place = self.modules.len();
        self.modules.push(Module { file, parent, ..Module::default() });
        self.add_items(place, &parsed.items, folder)?;
        Ok(place)
    }

    fn add_items(&mut self, place: usize, items: &[Item], folder: &Path) -> Result<(), Failed> {
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            match item {
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let folder_of_child = folder.join(&name);
                    let child = match (&module.content, path_attribute(&module.attrs)) {
                        (Some((_, items)), _) => {
                            let child = self.modules.len();
                            let file = self.modules[place].file.clone();
                            self.modules.push(Module { file, parent: Some(place), ..Module::default() });
                            self.add_items(child, items, &folder_of_child)?;
                            child
                        }
                        (None, Some(path)) => {
                            let file = self.modules[place].file.with_file_name("").join(path);
                            let folder = file.parent().unwrap_or(folder).to_owned();
                            self.add_file(Some(place), file, &folder)?
                        }
                        (None, None) => {
                            let beside = folder.join(format!("{name}.rs"));
                            let file = if beside.exists() { beside } else { folder_of_child.join("mod.rs") };
                            self.add_file(Some(place), file, &folder_of_child)?
                        }
                    };
                    self.modules[place].children.insert(name, child);
                }
                Item::Use(item) => self.modules[place].add_use(item),
                item => {
                    self.modules[place].items.extend(name_of(item));
                    Reader(&mut self.modules[place]).visit_item(item);
                }
            }
        }
        Ok(())
    }
}

impl Module {
    fn add_use(&mut self, item: &ItemUse) {
        let mut imports = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut imports);
        let is_handed_on = !matches!(item.vis, Visibility::Inherited);
        for Import { path, name } in imports {
            let list = if is_handed_on { &mut self.handed_on } else { &mut self.named };
            list.push(path.clone());
            match name {
                Some(name) => _ = self.aliases.insert(name, path),
                None => self.globs.push(path),
            }
        }
    }
}

fn flatten(tree: &UseTree, before: &mut Segments, imports: &mut Vec<Import>) {
    let mut import = |last: Option<String>, name: Option<String>| {
        let path = before.iter().cloned().chain(last).collect();
        imports.push(Import { path, name });
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, imports);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => import(None, before.last().cloned()),
        UseTree::Name(name) => import(Some(name.ident.to_string()), Some(name.ident.to_string())),
        UseTree::Rename(name) => {
            let last = Some(name.ident.to_string()).filter(|last| last != "self");
            import(last, Some(name.rename.to_string()));
        }
        UseTree::Glob(_) => import(None, None),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, imports)),
    }
}

/// Collects what the code of a module names.
struct Reader<'m>(&'m mut Module);

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            self.0.named.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.0.add_use(item);
    }

    /// What is between the brackets is no syntax yet: its paths are read from the text, `a::b` as they are written. What is quoted there, as
    /// documentation is, names nothing.
    fn visit_macro(&mut self, called: &'ast Macro) {
        let tokens = called.tokens.to_string().replace("\\\"", "").replace("'\"'", "");
        let text = tokens.split('"').step_by(2).collect::<Vec<_>>().join(" ").replace(" :: ", "::");
        let paths = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).filter(|word| word.contains("::"));
        let paths = paths.map(|path| path.split("::").map(str::to_owned).collect::<Segments>());
        self.0.named.extend(paths.filter(|path| path.iter().all(|segment| !segment.is_empty() && !segment.contains(':'))));
        visit::visit_macro(self, called);
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Whether what has these attributes is built for tests only: a test may name everything.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.starts_with("all (test")
        }
        Meta::Path(path) => path.is_ident("test"),
        _ => false,
    })
}

/// The file that `#[path = "..."]` names.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(value) if value.path.is_ident("path") => match &value.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}
