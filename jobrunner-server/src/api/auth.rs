use jobrunner_core::{Principal, Service, Violation, authz::Credential};
use poem::{Request, RequestBody, web::Data};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, OpenApi, SecurityScheme,
    auth::Bearer,
    registry::{MetaRequest, Registry},
};
use secrecy::SecretString;

use super::{
    Tag,
    http::{
        answer::{Answer, Done, Result},
        body,
        problem::Failure,
    },
    model::{SignIn, Token},
};
use crate::{origin, parameters};

/// The caller of a request, by the access token in its `Authorization` header.
#[derive(SecurityScheme)]
#[oai(
    ty = "oauth2",
    rename = "password",
    flows(password(token_url = "/api/v1/auth/token", refresh_url = "/api/v1/auth/token")),
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
    /// Sign in, or go on being signed in
    ///
    /// The password grant of OAuth2: a form with `username` (the email address) and `password`. Or
    /// its refresh grant: `grant_type=refresh_token` with the `refresh_token` of the answer before.
    /// That is used once, also if the answer is lost; sent again it ends the sign-in with all its
    /// tokens, as it may have been stolen.
    #[oai(path = "/auth/token", method = "post", operation_id = "sign_in")]
    async fn token(
        &self,
        Data(service): Data<&Service>,
        request: &Request,
        GrantForm(grant): GrantForm,
    ) -> Result<Answer<Token>> {
        Answer::of(match grant {
            Grant::Password { username, password } => {
                service.sign_in(&username, password, origin::address(request)).await?
            }
            Grant::RefreshToken(token) => service.refresh(token).await?,
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

const FORM: &str = "application/x-www-form-urlencoded";

/// A sign-in has a few hundred bytes.
const LIMIT: usize = 1 << 20;

/// What somebody signs in with.
enum Grant {
    Password { username: String, password: SecretString },
    RefreshToken(SecretString),
}

impl TryFrom<SignIn> for Grant {
    type Error = jobrunner_core::Error;

    fn try_from(form: SignIn) -> std::result::Result<Self, jobrunner_core::Error> {
        let mut missing = Vec::new();
        let mut needed = |name: &str, value: Option<String>| {
            value.unwrap_or_else(|| {
                missing.push(Violation::new(name, "is missing"));
                String::new()
            })
        };
        let grant = match form.grant_type.as_deref() {
            None | Some("password") => Self::Password {
                username: needed("username", form.username),
                password: needed("password", form.password).into(),
            },
            Some("refresh_token") => {
                Self::RefreshToken(needed("refresh_token", form.refresh_token).into())
            }
            Some(_) => {
                missing.push(Violation::new("grant_type", "must be password or refresh_token"));
                return Err(jobrunner_core::Error::Invalid(missing));
            }
        };
        if missing.is_empty() { Ok(grant) } else { Err(jobrunner_core::Error::Invalid(missing)) }
    }
}

/// A form body.
struct GrantForm(Grant);

impl<'a> ApiExtractor<'a> for GrantForm {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(_: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        body::described::<SignIn>(FORM)
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = body::read(request, body, FORM, LIMIT).await?;
        let form: SignIn = parameters::form(&bytes)?;
        Grant::try_from(form).map(Self).map_err(|error| Failure::from(error).into())
    }
}
