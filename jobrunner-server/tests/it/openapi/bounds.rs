//! What the description says that a request may hold, the server takes; what it says a request may
//! not hold, the server refuses by the name of the field. Each field and each parameter of each
//! operation is sent values at its bounds, beyond them, and of other kinds.

mod send;
mod values;

use serde_json::{Value, json};

use self::{
    send::{Sender, body_of},
    values::{Field, fields, samples},
};
use crate::{
    app::TestApp,
    description::{Operation, operations, validator},
};

#[tokio::test]
async fn every_field_is_bounded_as_described() {
    let app = TestApp::start().await;
    let mut sender = Sender::new(&app).await;
    let (mut taken, mut refused) = (0, 0);
    for operation in operations().filter(|it| it.body().is_some()) {
        let (_, about) = operation.body().expect("a body");
        let example = body_of(&operation);
        let (status, answer) = sender.body(&operation, &example).await;
        assert!((200..300).contains(&status), "{}: {status} {answer}", operation.id());
        for field in fields(&about["schema"], &example) {
            let validator = validator(field.schema);
            for value in samples(field.schema) {
                let mut body = example.clone();
                field.put(&mut body, value.clone());
                if sender.is_form(&operation) && !value.is_string() {
                    continue;
                }
                let (status, answer) = sender.body(&operation, &body).await;
                let place = place(&operation, &field, &value);
                let is_right = validator.is_valid(&value);
                match is_right {
                    true => is_taken(&field.name, (status, &answer), &place),
                    false => is_refused(&field.name, (status, &answer), &place),
                }
                *(if is_right { &mut taken } else { &mut refused }) += 1;
            }
        }
    }
    assert!(taken > 100 && refused > 400, "{taken} were taken, {refused} refused");
    app.stop().await;
}

#[tokio::test]
async fn fields_that_are_missing_or_unknown_are_refused_by_their_names() {
    let app = TestApp::start().await;
    let mut sender = Sender::new(&app).await;
    for operation in operations().filter(|it| it.body().is_some()) {
        let (_, about) = operation.body().expect("a body");
        let example = body_of(&operation);
        for object in values::objects(&about["schema"], &example) {
            let required = object.schema["required"].as_array().into_iter().flatten();
            for name in required.map(|name| name.as_str().expect("a name")) {
                let mut body = example.clone();
                object.take(&mut body, name);
                let answer = sender.body(&operation, &body).await;
                let name = object.inner(name);
                is_refused(
                    &name,
                    (answer.0, &answer.1),
                    &format!("{} without {name}", operation.id()),
                );
            }
            if object.schema["additionalProperties"] == false {
                let mut body = example.clone();
                object.add(&mut body, "unheard_of", json!(1));
                let answer = sender.body(&operation, &body).await;
                let name = object.inner("unheard_of");
                is_refused(
                    &name,
                    (answer.0, &answer.1),
                    &format!("{} with {name}", operation.id()),
                );
            }
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn every_parameter_is_bounded_as_described() {
    let app = TestApp::start().await;
    let mut sender = Sender::new(&app).await;
    let (mut taken, mut refused) = (0, 0);
    for operation in operations() {
        for parameter in operation.parameters() {
            let name = parameter["name"].as_str().expect("a name");
            let schema = &parameter["schema"];
            let validator = validator(schema);
            for value in values::texts(schema) {
                let Some((status, answer)) = sender.parameter(&operation, parameter, &value).await
                else {
                    continue;
                };
                let is_right = validator.is_valid(&values::read(schema, &value));
                let place = format!("{} {name}={value:?}", operation.id());
                let answer = (status, &answer);
                match is_right {
                    true => is_taken(name, answer, &place),
                    // A path that cannot be read names nothing.
                    false if parameter["in"] == "path" && status == 404 => {}
                    false => is_refused(name, answer, &place),
                }
                *(if is_right { &mut taken } else { &mut refused }) += 1;
            }
        }
    }
    assert!(taken > 100 && refused > 200, "{taken} were taken, {refused} refused");
    app.stop().await;
}

fn place(operation: &Operation, field: &Field, value: &Value) -> String {
    let shown: String = value.to_string().chars().take(60).collect();
    format!("{} {} = {shown}", operation.id(), field.name)
}

/// The names of the fields that an answer says are wrong.
fn named(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| error["field"].as_str()).collect()
}

fn is_about(named: &str, field: &str) -> bool {
    named.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn is_taken(field: &str, (status, answer): (u16, &Value), place: &str) {
    let is_wrong = named(answer).iter().any(|named| is_about(named, field));
    assert!(status < 500 && !is_wrong, "{place} is described and refused: {status} {answer}");
}

fn is_refused(field: &str, (status, answer): (u16, &Value), place: &str) {
    let is_refused = [400, 422].contains(&status);
    let is_named = named(answer).iter().any(|named| is_about(named, field));
    assert!(is_refused && is_named, "{place} is not described: {status} {answer}");
}
