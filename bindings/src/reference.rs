//! `$ref` within one document: pointers, anchors, and resources that `$id` names. Nothing is ever fetched: what is elsewhere is unknown.

use std::collections::HashMap;

use serde_json::Value;

use crate::keywords::{self, Holds};

/// A schema resource: the whole document, or a part of it that has an `$id`; by its place in [`References`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resource(usize);

/// The resources and anchors of one document.
pub(crate) struct References<'schema> {
    roots: Vec<&'schema Value>,
    /// The URI of each resource, empty where it has none.
    bases: Vec<String>,
    by_uri: HashMap<String, Resource>,
    anchors: HashMap<(usize, &'schema str), &'schema Value>,
    /// How many schemas have each `$dynamicAnchor`.
    dynamic_anchors: HashMap<&'schema str, usize>,
    /// The resource that begins at a schema, by the schema's address.
    beginnings: HashMap<usize, Resource>,
    /// Whether there is any reference at all.
    pub(crate) has_any: bool,
}

impl<'schema> References<'schema> {
    /// The resource of the document's root.
    pub(crate) const ROOT: Resource = Resource(0);

    /// Looks through `document`, as far as it consists of schemas.
    pub(crate) fn of(document: &'schema Value) -> Self {
        let mut references = Self {
            roots: vec![document],
            bases: vec![String::new()],
            by_uri: HashMap::new(),
            anchors: HashMap::new(),
            dynamic_anchors: HashMap::new(),
            beginnings: HashMap::new(),
            has_any: false,
        };
        let mut waiting = Vec::with_capacity(32);
        waiting.push((document, Self::ROOT));
        while let Some((schema, resource)) = waiting.pop() {
            let Value::Object(members) = schema else { continue };
            let resource = references.enter(schema, resource);
            for keyword in ["$anchor", "$dynamicAnchor"] {
                if let Some(Value::String(anchor)) = members.get(keyword) {
                    references.anchors.insert((resource.0, anchor), schema);
                    if keyword == "$dynamicAnchor" {
                        *references.dynamic_anchors.entry(anchor).or_insert(0) += 1;
                    }
                }
            }
            for (keyword, value) in members {
                match keywords::find(keyword).map(|keyword| keyword.holds) {
                    Some(Holds::SchemaMap) => {
                        let schemas = value.as_object().into_iter().flat_map(|schemas| schemas.values());
                        waiting.extend(schemas.map(|schema| (schema, resource)));
                    }
                    Some(Holds::Schema | Holds::Schemas) => match value {
                        Value::Array(schemas) => waiting.extend(schemas.iter().map(|schema| (schema, resource))),
                        schema => waiting.push((schema, resource)),
                    },
                    Some(Holds::Reference) => references.has_any = true,
                    _ => {}
                }
            }
        }
        references
    }

    /// Notes the resource that begins at `schema`, if one does, and gives the one that `schema` belongs to.
    fn enter(&mut self, schema: &'schema Value, resource: Resource) -> Resource {
        let Some(Value::String(id)) = schema.get("$id") else { return resource };
        if let Some(anchor) = id.strip_prefix('#') {
            self.anchors.insert((resource.0, anchor), schema);
            return resource;
        }
        let is_ignored = schema.get("$ref").is_some() && schema.get("definitions").is_none() && schema.get("$defs").is_none();
        if is_ignored {
            return resource;
        }
        let uri = join(&self.bases[resource.0], id.trim_end_matches('#'));
        let begun = if std::ptr::eq(schema, self.roots[0]) { Self::ROOT } else { Resource(self.roots.len()) };
        if begun == Self::ROOT {
            self.bases[0].clone_from(&uri);
        } else {
            self.roots.push(schema);
            self.bases.push(uri.clone());
        }
        self.by_uri.entry(uri).or_insert(begun);
        self.beginnings.insert(address(schema), begun);
        begun
    }

    /// The resource that `schema` belongs to when it is found within `outer`.
    pub(crate) fn resource_at(&self, schema: &Value, outer: Resource) -> Resource {
        if self.beginnings.is_empty() { outer } else { self.beginnings.get(&address(schema)).copied().unwrap_or(outer) }
    }

    /// The schema that `reference` means within `resource`, if it is in this document.
    pub(crate) fn resolve(&self, reference: &str, resource: Resource) -> Option<(&'schema Value, Resource)> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = if uri.is_empty() { resource } else { self.find(uri, resource)? };
        let fragment = percent_decoded(fragment)?;
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return self.anchors.get(&(resource.0, &*fragment)).map(|schema| (*schema, resource));
        }
        let mut target = self.roots[resource.0];
        let mut resource = resource;
        for segment in fragment.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            target = match target {
                Value::Object(members) => members.get(&segment)?,
                Value::Array(items) => items.get(segment.parse::<usize>().ok()?)?,
                _ => return None,
            };
            resource = self.resource_at(target, resource);
        }
        Some((target, resource))
    }

    /// Whether `reference`, a `$dynamicRef`, means one of several schemas, by the way on which it is reached.
    pub(crate) fn is_dynamic(&self, reference: &str) -> bool {
        let anchor = reference.rsplit('#').next().unwrap_or_default();
        self.dynamic_anchors.get(anchor).is_some_and(|count| *count > 1)
    }

    fn find(&self, uri: &str, resource: Resource) -> Option<Resource> {
        self.by_uri.get(&join(&self.bases[resource.0], uri)).copied()
    }
}

/// What tells one schema of a document from another.
pub(crate) fn address(schema: &Value) -> usize {
    std::ptr::from_ref(schema).addr()
}

/// `reference`, which has no fragment, against `base`: RFC 3986 §5 as far as identifiers of schemas need it.
fn join(base: &str, reference: &str) -> String {
    let has_scheme = |uri: &str| {
        uri.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        })
    };
    if has_scheme(reference) || base.is_empty() {
        return reference.to_owned();
    }
    let authority = base.find("://").map_or(0, |scheme| scheme + 3);
    let path = base[authority..].find('/').map_or(base.len(), |slash| authority + slash);
    if reference.starts_with('/') {
        return format!("{}{reference}", &base[..path]);
    }
    let mut directory = base[..base.rfind('/').map_or(0, |slash| slash + 1).max(path)].to_owned();
    if path == base.len() && authority > 0 {
        directory.push('/');
    }
    format!("{directory}{}", reference.trim_start_matches("./"))
}

fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'%', Some(digits)) = (first, tail.get(..2)) {
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(document: &Value, reference: &str, expected: Option<&Value>) {
        let references = References::of(document);
        assert_eq!(references.resolve(reference, References::ROOT).map(|(schema, _)| schema), expected, "{reference}");
    }

    #[test]
    fn pointers_are_decoded() {
        let document = json!({"$defs": {"a/b": {"type": "null"}, "c~d": {"type": "string"}, "e f": {"items": [{"const": 1}]}}});
        check(&document, "#", Some(&document));
        check(&document, "#/$defs/a~1b", Some(&json!({"type": "null"})));
        check(&document, "#/$defs/c~0d", Some(&json!({"type": "string"})));
        check(&document, "#/$defs/e%20f/items/0", Some(&json!({"const": 1})));
        check(&document, "#/$defs/none", None);
        check(&document, "#/$defs/%zz", None);
    }

    #[test]
    fn anchors_and_ids_are_found_and_what_is_elsewhere_is_not() {
        let document = json!({"$id": "https://example.org/root", "$defs": {
            "a": {"$anchor": "here", "type": "null"},
            "b": {"$id": "item", "type": "array", "$defs": {"c": {"type": "string"}}}
        }});
        check(&document, "#here", Some(&document["$defs"]["a"]));
        check(&document, "item", Some(&document["$defs"]["b"]));
        check(&document, "https://example.org/item#/$defs/c", Some(&json!({"type": "string"})));
        check(&document, "https://example.org/other", None);
        check(&document, "file:///etc/passwd", None);
    }

    #[test]
    fn data_is_no_schema() {
        let document = json!({"$defs": {"a": {"const": {"$anchor": "x"}}, "b": {"enum": [{"$id": "y"}]}}});
        check(&document, "#x", None);
        check(&document, "y", None);
    }
}
