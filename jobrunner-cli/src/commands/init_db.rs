use jobrunner_core::{
    connect::{self, FirstAdmin},
    daemon::Variables,
};

use crate::{
    engine,
    exit::{Exit, Failure},
};

/// Makes the schema and the first account, and says what was made.
pub(crate) async fn init_db() -> Result<Exit, Failure> {
    let variables = Variables::of_service()?;
    variables.start_log("warn")?;
    let settings = variables.settings()?;
    let FirstAdmin { email, password } = connect::init_database(&settings).await?;
    eprintln!("the schema is up to date");
    match (email, password) {
        (None, _) => eprintln!("there are accounts; none was made"),
        (Some(email), None) => {
            eprintln!("made the admin account {email}; its password is JOBRUNNER_ADMIN_PASSWORD");
        }
        (Some(email), Some(password)) => {
            eprintln!("made the admin account {email}");
            eprintln!("  password  {}  (shown this once; keep it)", engine::shown(&password));
        }
    }
    Ok(Exit::Success)
}
