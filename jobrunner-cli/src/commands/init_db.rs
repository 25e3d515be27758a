use jobrunner_core::{
    connect::{self, FirstAdmin},
    daemon::{Fatal, Variables},
};

use crate::{
    engine,
    exit::{Exit, Failure},
    output::note,
};

/// Makes the schema and the first account, and says what was made.
pub(crate) async fn init_db() -> Result<Exit, Failure> {
    let variables = Variables::of_service()?;
    variables.start_log("warn")?;
    let settings = variables.settings()?;
    let FirstAdmin { email, password } =
        connect::init_database(&settings).await.map_err(Fatal::from)?;
    note("the schema is up to date");
    match (email, password) {
        (None, _) => note("there are accounts; none was made"),
        (Some(email), None) => {
            note(&format!(
                "made the admin account {email}; its password is JOBRUNNER_ADMIN_PASSWORD"
            ));
        }
        (Some(email), Some(password)) => {
            note(&format!("made the admin account {email}"));
            note(&format!("  password  {}  (shown this once; keep it)", engine::shown(&password)));
        }
    }
    Ok(Exit::Success)
}
