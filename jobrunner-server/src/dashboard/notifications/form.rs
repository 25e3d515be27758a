use base64::{Engine, engine::general_purpose::STANDARD};
use jobrunner_core::{
    Result, Violation,
    notification::{Channel, ChannelKind, EventKind, NewSubscription, SubscriptionUpdate, Window},
};
use serde::Deserialize;

/// The fields of the form of a notification. One that is not filled in is empty.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Fields {
    name: String,
    #[serde(default)]
    project: String,
    #[serde(default)]
    series: String,
    #[serde(default)]
    batch_name: String,
    #[serde(default)]
    channel: String,
    /// Where to: a URL, or addresses between commas.
    #[serde(default)]
    address: String,
    /// Nothing, or `every`, or `daily`.
    #[serde(default)]
    window: String,
    #[serde(default)]
    every_minutes: String,
    #[serde(default)]
    at: String,
    #[serde(default)]
    zone: String,
    /// `disabled`, or anything else.
    #[serde(default)]
    state: String,
    finished: Option<String>,
    failed: Option<String>,
    first_failure: Option<String>,
    recovered: Option<String>,
    new_failures: Option<String>,
}

/// The secret that was made for a webhook.
type Secret = Option<String>;

impl Fields {
    pub(super) fn subscription(self) -> Result<(NewSubscription, Secret)> {
        let (channel, secret) = self.channel()?;
        let project = filled(&self.project).map(str::parse).transpose();
        let new = NewSubscription {
            on: self.kinds(),
            window: self.window()?,
            project: project
                .map_err(|wrong: Violation| Violation::new("project", wrong.message))?,
            series: filled(&self.series).map(str::to_owned),
            batch_name: filled(&self.batch_name).map(str::to_owned),
            name: self.name,
            channel,
            is_enabled: true,
        };
        Ok((new, secret))
    }

    /// What is to change. Messages go where they went, unless an address is given that is another
    /// one.
    pub(super) fn update(self, known: &Channel) -> Result<(SubscriptionUpdate, Secret)> {
        let is_known = match known {
            Channel::Webhook { url, .. } => *url == self.address.trim(),
            Channel::Slack { .. } => self.address.trim().is_empty(),
            Channel::Email { to } => *to == self.addresses(),
        };
        let (channel, secret) = match is_known && known.kind().as_str() == self.channel {
            true => (None, None),
            false => self.channel().map(|(channel, secret)| (Some(channel), secret))?,
        };
        let update = SubscriptionUpdate {
            on: Some(self.kinds()),
            window: Some(self.window()?),
            series: Some(filled(&self.series).map(str::to_owned)),
            batch_name: Some(filled(&self.batch_name).map(str::to_owned)),
            is_enabled: Some(self.state != "disabled"),
            name: Some(self.name),
            channel,
        };
        Ok((update, secret))
    }

    fn kinds(&self) -> Vec<EventKind> {
        let chosen = EventKind::ALL.into_iter().filter(|kind| match kind {
            EventKind::Finished => self.finished.is_some(),
            EventKind::Failed => self.failed.is_some(),
            EventKind::FirstFailure => self.first_failure.is_some(),
            EventKind::Recovered => self.recovered.is_some(),
            EventKind::NewFailures => self.new_failures.is_some(),
        });
        chosen.collect()
    }

    fn addresses(&self) -> Vec<String> {
        let parts = self.address.split([',', ' ']).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn channel(&self) -> Result<(Channel, Secret)> {
        let wrong = |_| Violation::new("channel", ChannelKind::ONE_OF);
        let url = || self.address.trim().to_owned();
        Ok(match self.channel.parse().map_err(wrong)? {
            ChannelKind::Webhook => {
                let secret = format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>()));
                let channel = Channel::Webhook { url: url(), secret: secret.as_str().into() };
                (channel, Some(secret))
            }
            ChannelKind::Slack => (Channel::Slack { url: url().into() }, None),
            ChannelKind::Email => (Channel::Email { to: self.addresses() }, None),
        })
    }

    fn window(&self) -> Result<Option<Window>, Violation> {
        match self.window.as_str() {
            "every" => {
                let minutes = self.every_minutes.trim().parse().unwrap_or_default();
                Window::every(minutes).map(Some)
            }
            "daily" => {
                let zone = filled(&self.zone).unwrap_or("UTC");
                Ok(Some(Window::Daily { at: self.at.trim().parse()?, zone: zone.parse()? }))
            }
            _ => Ok(None),
        }
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}
