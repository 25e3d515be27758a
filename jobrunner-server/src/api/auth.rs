use jobrunner_core::{Principal, Service, Violation, authz::Credential};
use poem::{Request, RequestBody, web::Data};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, Object, OpenApi, SecurityScheme,
    auth::Bearer,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    Tag,
    answer::{Answer, Done, Result},
    body, model,
    problem::Failure,
};
use crate::parameters;

/// The caller of a request, by the access token in its `Authorization` header.
#[derive(SecurityScheme)]
#[oai(
    ty = "oauth2",
    rename = "password",
    flows(password(token_url = "/api/v1/auth/token")),
    checker = "authenticate"
)]
pub(crate) struct Caller(pub(crate) Principal);

async fn authenticate(request: &Request, bearer: Bearer) -> poem::Result<Principal> {
    let service: &Service = request.data().expect("the routes carry the service");
    let credential = Credential::Bearer(SecretString::from(bearer.token));
    service.authenticate(&credential).await.map_err(|error| Failure::from(error).into())
}

pub(crate) struct AuthApi;

#[OpenApi(tag = "Tag::Auth")]
impl AuthApi {
    /// Sign in
    ///
    /// The password grant of OAuth2: a form with `username` (the email address) and `password`.
    #[oai(path = "/auth/token", method = "post", operation_id = "sign_in")]
    async fn token(
        &self,
        Data(service): Data<&Service>,
        SignInForm(form): SignInForm,
    ) -> Result<Answer<model::Token>> {
        let credential = Credential::Password {
            email: form.username,
            password: SecretString::from(form.password),
        };
        let token = service.sign_in(&credential).await?;
        Answer::of(&Token {
            access_token: token.token,
            token_type: "bearer",
            expires_in: token.lifetime.as_secs(),
        })
    }

    /// Sign out
    ///
    /// The token that is sent stops working at once, before its time.
    #[oai(path = "/auth/token", method = "delete", operation_id = "sign_out")]
    async fn end(&self, Data(service): Data<&Service>, Caller(caller): Caller) -> Result<Done> {
        service.sign_out(&caller).await?;
        Ok(Done)
    }
}

#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

const FORM: &str = "application/x-www-form-urlencoded";

/// A sign-in has a few hundred bytes.
const LIMIT: usize = 1 << 20;

/// What a sign-in consists of.
#[derive(Deserialize, Object)]
struct SignIn {
    /// `password`, if it is there at all.
    grant_type: Option<String>,
    /// The email address.
    username: String,
    /// The password.
    password: String,
    /// Not used.
    scope: Option<String>,
    /// Not used.
    client_id: Option<String>,
    /// Not used.
    client_secret: Option<String>,
}

/// A form body.
struct SignInForm(SignIn);

impl<'a> ApiExtractor<'a> for SignInForm {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        SignIn::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: FORM, schema: SignIn::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = body::read(request, body, FORM, LIMIT).await?;
        let form: SignIn = parameters::form(&bytes)?;
        if form.grant_type.as_deref().is_some_and(|grant| grant != "password") {
            let wrong = Violation::new("grant_type", "must be password");
            return Err(Failure::from(wrong).into());
        }
        Ok(Self(form))
    }
}
