//! The rounds of a request to a server of the era without sessions: it answers with questions, and is asked the same again with the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use isolet_bindings::{Asker, Question};
use isolet_rpc::envelope::object;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::question;
use super::request_params::Members;

/// The most rounds of one request.
const ROUNDS_MAX: usize = 16;

/// The questions of one round beyond which there is none.
const QUESTIONS_MAX: usize = 16;

/// What the questions are found in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Required<'text> {
    #[serde(default)]
    result_type: Option<String>,
    #[serde(default)]
    input_requests: BTreeMap<String, Asked>,
    #[serde(borrow, default)]
    request_state: Option<&'text RawValue>,
}

/// One question.
#[derive(Deserialize)]
struct Asked {
    method: String,
    #[serde(default)]
    params: Map<String, Value>,
}

/// What is added to the parameters of the next round.
type Answers = Vec<(&'static str, Arc<RawValue>)>;

/// What a request with `params` comes to, which `request` makes: where its result is questions, `asker` is asked, and it is made again with the answers. A
/// question that is not answered leaves the result as it is, an error for whoever wanted another.
pub(super) async fn finished<Made, E>(
    asker: &Asker,
    params: Members,
    request: impl Fn(Arc<Members>) -> Made,
) -> Result<String, E>
where
    Made: Future<Output = Result<String, E>>,
{
    let params = Arc::new(params);
    let mut result = request(Arc::clone(&params)).await?;
    for _ in 0..ROUNDS_MAX {
        let Some(answers) = answers(asker, &result).await else { break };
        let next = answers.into_iter().fold((*params).clone(), |params, (name, value)| params.with(name, value));
        result = request(Arc::new(next)).await?;
    }
    Ok(result)
}

/// The answers to what `result` asks for, all at the same time; none if it asks for nothing, or one is not answered.
async fn answers(asker: &Asker, result: &str) -> Option<Answers> {
    // A result that is one may be large, and is not read twice for this.
    if !result.contains("input_required") {
        return None;
    }
    let required: Required<'_> = object(result).ok()?;
    if required.result_type.as_deref() != Some("input_required") || required.input_requests.len() > QUESTIONS_MAX {
        return None;
    }
    let asked = required.input_requests.into_iter().map(|(name, Asked { method, params })| async move {
        let kind = question::kind_of(&method, &params)?;
        let answer = asker.ask(Question::new(kind, params).called(Some(name.clone()))).await.ok()?;
        Some((name, answer))
    });
    let responses = futures::future::join_all(asked).await.into_iter().collect::<Option<Map<String, Value>>>()?;
    let mut answers: Answers = vec![("inputResponses", to_raw_value(&responses).ok()?.into())];
    answers.extend(required.request_state.map(|state| ("requestState", state.to_owned().into())));
    Some(answers)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_bindings::AskKind;
    use serde_json::json;

    use super::*;

    fn question() -> String {
        let requests =
            json!({ "a": { "method": "elicitation/create", "params": { "message": "?" } }, "b": { "method": "roots/list" } });
        json!({ "resultType": "input_required", "requestState": "s\"1", "inputRequests": requests }).to_string()
    }

    #[tokio::test]
    async fn each_question_is_answered_under_its_name_with_the_state_as_it_came() {
        let asker = Asker::new([AskKind::Form, AskKind::Roots], |question: Question| {
            Box::pin(async move { Ok(json!(format!("{:?}", question.kind))) })
        });
        let answers = answers(&asker, &question()).await.unwrap();
        let answers: Vec<(&str, Value)> =
            answers.into_iter().map(|(name, value)| (name, serde_json::from_str(value.get()).unwrap())).collect();
        assert_eq!(answers, [("inputResponses", json!({ "a": "Form", "b": "Roots" })), ("requestState", json!("s\"1"))]);
    }

    #[tokio::test]
    async fn a_request_is_made_again_until_nothing_is_asked_any_more() {
        let asker = Asker::new([AskKind::Form, AskKind::Roots], |_| Box::pin(async { Ok(json!({})) }));
        let made = std::sync::atomic::AtomicUsize::new(0);
        let request = |rounds: usize| {
            let made = &made;
            move |_: Arc<Members>| async move {
                let count = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok::<_, std::convert::Infallible>(if count < rounds { question() } else { "{}".to_owned() })
            }
        };
        assert_eq!(finished(&asker, Members::default(), request(3)).await.unwrap(), "{}");
        assert_eq!(made.swap(0, std::sync::atomic::Ordering::Relaxed), 4);
        let endless = finished(&asker, Members::default(), request(usize::MAX)).await.unwrap();
        assert!(endless.contains("input_required"));
        assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), ROUNDS_MAX + 1);
    }

    #[tokio::test]
    async fn what_is_no_question_or_is_not_answered_has_no_further_round() {
        let asker = Asker::new([AskKind::Form], |_| Box::pin(async { Ok(json!({})) }));
        assert!(answers(&asker, &question()).await.is_none(), "nobody is asked for roots");
        assert!(answers(&Asker::default(), &question()).await.is_none());
        assert!(answers(&asker, r#"{"content":[]}"#).await.is_none());
    }
}
