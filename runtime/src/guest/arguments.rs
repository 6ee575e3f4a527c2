//! What a program writes as the arguments of a call.

use swc_ecma_ast::{Expr, ExprOrSpread, Lit, Prop, PropName, PropOrSpread};
use swc_ecma_visit::{Visit, VisitWith};

use super::declarations::without_types;
use super::literals;
use crate::contract::facts::Arguments;

/// Texts that are kept of the arguments of a call, and their length, bytes.
const WORDS_MAX: usize = 12;
const WORD_BYTES_MAX: usize = 200;

/// The arguments of a call, as far as they are literals.
pub(super) fn of(arguments: &[ExprOrSpread]) -> Arguments {
    if arguments.iter().any(|argument| argument.spread.is_some()) {
        return Arguments::Unknown;
    }
    let Some(first) = arguments.first().map(|argument| without_types(&argument.expr)) else {
        return Arguments::Object { literals: serde_json::Map::new(), others: Vec::new() };
    };
    match first {
        Expr::Object(object) => {
            let is_plain = |property: &PropOrSpread| match property {
                PropOrSpread::Spread(_) => false,
                PropOrSpread::Prop(property) => match &**property {
                    Prop::KeyValue(member) => !matches!(member.key, PropName::Computed(_)),
                    Prop::Shorthand(_) => true,
                    _ => false,
                },
            };
            if !object.props.iter().all(is_plain) {
                return Arguments::Unknown;
            }
            literals::members(object).map_or(Arguments::Unknown, |(literals, others)| Arguments::Object { literals, others })
        }
        Expr::Lit(Lit::Null(_)) | Expr::Lit(Lit::Regex(_)) => Arguments::Unknown,
        Expr::Lit(_) | Expr::Array(_) | Expr::Tpl(_) => Arguments::Positional { count: arguments.len() },
        _ => Arguments::Unknown,
    }
}

/// The texts in the arguments of a call.
#[derive(Default)]
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn of(arguments: &[ExprOrSpread]) -> Vec<String> {
        let mut words = Self::default();
        arguments.iter().for_each(|argument| argument.expr.visit_with(&mut words));
        words.0
    }

    fn add(&mut self, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty() && text.len() <= WORD_BYTES_MAX && self.0.len() < WORDS_MAX) {
            self.0.push(text.to_owned());
        }
    }
}

impl Visit for Words {
    fn visit_lit(&mut self, literal: &Lit) {
        if let Lit::Str(text) = literal {
            self.add(text.value.as_str());
        }
    }

    fn visit_tpl_element(&mut self, element: &swc_ecma_ast::TplElement) {
        self.add(Some(&element.raw));
    }
}
