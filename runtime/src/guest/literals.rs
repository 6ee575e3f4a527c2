//! Literals of a program as the values that they are.

use serde_json::{Map, Value};
use swc_ecma_ast::{Expr, Lit, Number, ObjectLit, Prop, PropName, PropOrSpread, Str, UnaryExpr, UnaryOp};

use super::declarations::without_types;

/// The longest text that is a value here, bytes: a longer one is not looked at.
const TEXT_BYTES_MAX: usize = 2_000;
/// Members and elements of one literal, and how deep they may be.
const PARTS_MAX: usize = 64;
const DEPTH_MAX: usize = 8;

/// A string literal, unless it has half a surrogate pair in it.
pub(super) fn text_of(text: &Str) -> Option<String> {
    text.value.as_str().map(str::to_owned)
}

/// The members of an object that are literals, and the names of the others. Members that are `undefined` are none.
pub(super) fn members(object: &ObjectLit) -> Option<(Map<String, Value>, Vec<String>)> {
    let (mut literals, mut others) = (Map::new(), Vec::new());
    for property in &object.props {
        let PropOrSpread::Prop(property) = property else { return None };
        let (name, known) = match &**property {
            Prop::Shorthand(name) => (name.sym.to_string(), Known::Not),
            Prop::KeyValue(member) => (name_of(&member.key)?, Known::of(&member.value, DEPTH_MAX)),
            _ => return None,
        };
        literals.remove(&name);
        others.retain(|other| *other != name);
        match known {
            _ if name == "__proto__" || literals.len() + others.len() >= PARTS_MAX => return None,
            Known::Value(value) => drop(literals.insert(name, value)),
            Known::Nothing => {}
            Known::Not => others.push(name),
        }
    }
    Some((literals, others))
}

/// What is known of an expression without running it.
enum Known {
    Value(Value),
    /// It is `undefined`.
    Nothing,
    Not,
}

impl Known {
    fn of(expression: &Expr, depth: usize) -> Self {
        match without_types(expression) {
            Expr::Ident(name) if name.sym == *"undefined" => Self::Nothing,
            expression => value_of(expression, depth).map_or(Self::Not, Self::Value),
        }
    }
}

fn value_of(expression: &Expr, depth: usize) -> Option<Value> {
    match without_types(expression) {
        Expr::Lit(Lit::Str(text)) => text_of(text).filter(|text| text.len() <= TEXT_BYTES_MAX).map(Value::String),
        Expr::Lit(Lit::Bool(bool)) => Some(Value::Bool(bool.value)),
        Expr::Lit(Lit::Null(_)) => Some(Value::Null),
        Expr::Lit(Lit::Num(number)) if rounded(number).is_none() => number_of(number.value),
        Expr::Unary(unary) if unary.op == UnaryOp::Minus => match without_types(&unary.arg) {
            Expr::Lit(Lit::Num(number)) if rounded(number).is_none() => number_of(-number.value),
            _ => None,
        },
        Expr::Tpl(template) if template.exprs.is_empty() => {
            let [only] = template.quasis.as_slice() else { return None };
            let text = only.cooked.as_ref()?.as_str()?;
            (text.len() <= TEXT_BYTES_MAX).then(|| Value::String(text.to_owned()))
        }
        Expr::Array(array) if depth > 0 && array.elems.len() <= PARTS_MAX => {
            let element = |element: &Option<swc_ecma_ast::ExprOrSpread>| {
                let element = element.as_ref().filter(|element| element.spread.is_none())?;
                value_of(&element.expr, depth - 1)
            };
            array.elems.iter().map(element).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        Expr::Object(object) if depth > 0 && object.props.len() <= PARTS_MAX => {
            let mut members = Map::new();
            for property in &object.props {
                let Prop::KeyValue(member) = &**property.as_prop()? else { return None };
                let name = name_of(&member.key).filter(|name| name != "__proto__")?;
                match Known::of(&member.value, depth - 1) {
                    Known::Value(value) => drop(members.insert(name, value)),
                    Known::Nothing => drop(members.remove(&name)),
                    Known::Not => return None,
                }
            }
            Some(Value::Object(members))
        }
        _ => None,
    }
}

/// A number as `JSON.stringify` writes it: without a fraction where it has none.
fn number_of(number: f64) -> Option<Value> {
    #[expect(clippy::cast_possible_truncation, reason = "it is an integer within the range")]
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Some(Value::from(number as i64));
    }
    serde_json::Number::from_f64(number).map(Value::Number)
}

fn name_of(key: &PropName) -> Option<String> {
    match key {
        PropName::Ident(name) => Some(name.sym.to_string()),
        PropName::Str(text) => text_of(text),
        _ => None,
    }
}

/// The same of a negative number, with its sign: in quotes the sign belongs to the digits.
pub(super) fn rounded_negative(unary: &UnaryExpr) -> Option<String> {
    match without_types(&unary.arg) {
        Expr::Lit(Lit::Num(number)) if unary.op == UnaryOp::Minus => rounded(number).map(|text| format!("-{text}")),
        _ => None,
    }
}

/// The text of a number in digits alone, if JavaScript has no such number and takes another one for it.
pub(super) fn rounded(number: &Number) -> Option<String> {
    let text = number.raw.as_deref().filter(|_| number.value >= 9_007_199_254_740_992.0)?;
    let digits = text.replace('_', "").to_ascii_lowercase();
    let (digits, radix) = match digits.get(..2) {
        Some("0x") => (&digits[2..], 16),
        Some("0o") => (&digits[2..], 8),
        Some("0b") => (&digits[2..], 2),
        _ => (&*digits, 10),
    };
    let is_in_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    // Beyond 128 bits there is no telling, and no identifier is so long.
    let exact = u128::from_str_radix(digits, radix);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is positive, and what does not fit is not exact"
    )]
    let is_rounded = exact.is_ok_and(|exact| number.value as u128 != exact);
    (is_in_digits && is_rounded && text.len() <= 100).then(|| text.to_owned())
}
