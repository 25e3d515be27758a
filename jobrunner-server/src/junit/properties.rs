//! What a batch says as a run of its series: properties of the suite of its jobs.

use jobrunner_core::{
    Batch,
    verdict::{Class, Verdict},
};

use super::xml::Element;

/// Writes them, if there are any. Names begin with `jobrunner.`, so that none is mistaken for what
/// a test framework says.
pub(super) fn write(xml: &mut String, batch: &Batch, verdict: Option<&Verdict>) {
    let Some(verdict) = verdict else { return };
    Element::begin(xml, "properties").open();
    let mut property = |name: &str, value: &str| {
        Element::begin(xml, "property")
            .attribute("name", &format!("jobrunner.{name}"))
            .attribute("value", value)
            .end();
    };
    property("series", &verdict.series);
    if let Some(revision) = &batch.revision {
        let told = [("sha", &revision.sha), ("branch", &revision.branch), ("url", &revision.url)];
        for (name, value) in told {
            if let Some(value) = value {
                property(&format!("revision.{name}"), value);
            }
        }
        property("revision.dirty", if revision.dirty { "true" } else { "false" });
    }
    property("verdict.status", verdict.status.as_str());
    property("verdict.gate", verdict.gate.as_str());
    property("verdict.final", if verdict.is_final { "true" } else { "false" });
    property("verdict.summary", &verdict.summary);
    for class in Class::ALL {
        property(&format!("verdict.{}", class.as_str()), &verdict.counts.of(class).to_string());
    }
    property("verdict.total", &verdict.counts.total().to_string());
    xml.push_str("</properties>\n");
}
