//! JSON numbers as mathematics has them: `1` is `1.0`, and 0.3 is a multiple of 0.1.

use std::cmp::Ordering;

use serde_json::Number;

/// How `one` compares with `other`.
pub(super) fn compare(one: &Number, other: &Number) -> Ordering {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default()),
    }
}

/// The integer that `number` is, `1.0` too, as far as integers of 128 bits go.
pub(super) fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i64() {
        return Some(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    let double = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked, and the fraction is 0")]
    let whole = double as i128;
    (double.fract() == 0.0 && double.abs() < 1e38).then_some(whole)
}

/// Whether `number` has no fraction.
pub(super) fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|double| double.fract() == 0.0)
}

/// Whether `number` is `step` taken a whole number of times, both as their shortest decimals.
pub(super) fn is_multiple(number: &Number, step: &Number) -> bool {
    let (Some((number, exponent)), Some((step, step_exponent))) = (decimal(number), decimal(step)) else { return true };
    if step == 0 {
        return true;
    }
    if exponent >= step_exponent {
        let tens = power_of_ten(exponent.abs_diff(step_exponent), step);
        return (number % step * tens).is_multiple_of(step);
    }
    let scaled = 10_u128.checked_pow(exponent.abs_diff(step_exponent)).and_then(|tens| tens.checked_mul(step));
    number == 0 || scaled.is_some_and(|scaled| number.is_multiple_of(scaled))
}

/// The remainder of a power of ten. A divisor has at most 64 bits, so that no product of two remainders overflows.
fn power_of_ten(exponent: u32, divisor: u128) -> u128 {
    let (mut power, mut square, mut exponent) = (1 % divisor, 10 % divisor, exponent);
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = power * square % divisor;
        }
        square = square * square % divisor;
        exponent /= 2;
    }
    power
}

/// The digits of `number`, without its sign, and the power of ten that they are multiplied by: `0.25` is 25 and -2.
fn decimal(number: &Number) -> Option<(u128, i32)> {
    // The shortest text that is read as this number: no more than 20 digits.
    let text = number.to_string();
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent = exponent.parse::<i32>().ok()? - i32::try_from(after.len()).ok()?;
    let digits = format!("{}{after}", before.trim_start_matches('-'));
    let significant = digits.trim_end_matches('0');
    let zeros = i32::try_from(digits.len() - significant.len()).ok()?;
    if significant.is_empty() { Some((0, 0)) } else { Some((significant.parse().ok()?, exponent + zeros)) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;

    fn number(value: &Value) -> &Number {
        value.as_number().unwrap()
    }

    #[test]
    fn numbers_compare_by_value() {
        let check = |one: Value, other: Value, expected: Ordering| {
            assert_eq!(compare(number(&one), number(&other)), expected, "{one} {other}");
            assert_eq!(compare(number(&other), number(&one)), expected.reverse(), "{other} {one}");
        };
        check(json!(1), json!(1.0), Ordering::Equal);
        check(json!(0), json!(-0.0), Ordering::Equal);
        check(json!(-1), json!(u64::MAX), Ordering::Less);
        check(json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0), Ordering::Greater);
        check(json!(1.5), json!(1), Ordering::Greater);
        check(json!(1e300), json!(u64::MAX), Ordering::Greater);
    }

    #[test]
    fn multiples_are_exact() {
        let check = |value: Value, step: Value, expected: bool| {
            assert_eq!(is_multiple(number(&value), number(&step)), expected, "{value} {step}");
        };
        check(json!(0.3), json!(0.1), true);
        check(json!(0.0075), json!(0.0001), true);
        check(json!(0.00751), json!(0.0001), false);
        check(json!(1e308), json!(0.5), true);
        check(json!(1e308), json!(0.123_456_789), false);
        check(json!(7), json!(2), false);
        check(json!(-4), json!(2), true);
        check(json!(0), json!(1e-300), true);
        check(json!(1e-300), json!(7), false);
        check(json!(12_391_239_123_u64), json!(1e-8), true);
        check(json!(1), json!(0.01), true);
        check(json!(1.5), json!(1), false);
        check(json!(100), json!(1e2), true);
    }
}
