//! The body of a new batch. Its jobs stay what they were, text; each is parsed when it is needed,
//! so that 100,000 of them cost little more than the body itself.

use std::{fmt, ops::Range};

use bytes::Bytes;
use jobrunner_core::{
    NewBatch, NewJob, ProjectName, Violation,
    batch::MAX_JOBS,
    series::{self, SeriesChoice},
    service::JobSource,
    strict,
};
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaRequest, Registry},
};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use super::{body, problem::Failure};
use crate::api::model;

/// The largest body of a new batch.
const LIMIT: usize = 128 << 20;

/// A new batch whose jobs are yet to be parsed.
pub(crate) struct BatchBody {
    pub(crate) batch: NewBatch,
    pub(crate) members: Members,
    /// The body as it came.
    pub(crate) bytes: Bytes,
}

impl<'a> ApiExtractor<'a> for BatchBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(_: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        body::described::<Outer<'_>>(body::JSON)
    }

    async fn from_request(
        request: &'a Request,
        request_body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = body::read(request, request_body, body::JSON, LIMIT).await?;
        let outer = body::parse::<Outer<'_>>(&bytes)?;
        let Outer { name, description, project, payload, series, revision, gate, baseline, jobs } =
            outer;
        let project = project.map(ProjectName::try_from).transpose().map_err(Failure::from)?;
        let series = series.map_or(SeriesChoice::OfItsName, SeriesChoice::from);
        let batch = NewBatch {
            name,
            description,
            project,
            payload,
            series,
            revision: revision.map(Into::into),
            gate: gate.unwrap_or_default(),
            baseline: baseline.map(Into::into).unwrap_or_default(),
        };
        let places = jobs.places(&bytes);
        let members = Members { body: bytes.clone(), places, count: jobs.count };
        Ok(Self { batch, members, bytes })
    }
}

/// A batch as it is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewBatch")]
struct Outer<'a> {
    /// What people call it; runs of one suite share a name. At most 255 bytes of UTF-8 on one line,
    /// of which something can be seen; kept as it is sent.
    #[schemars(length(min = 1, max = 255), regex(pattern = model::pattern::NAME))]
    name: String,
    /// What it is for; at most 4096 bytes of UTF-8.
    #[schemars(length(max = 4096), regex(pattern = model::pattern::TEXT))]
    description: Option<String>,
    /// The project that it and its jobs belong to, whose members see them; none, if left out.
    #[schemars(length(min = 1, max = 63), regex(pattern = model::pattern::PROJECT))]
    project: Option<String>,
    /// Anything you want to find again beside the batch; at most 64 KiB of JSON, nested 64 deep.
    #[serde(default, deserialize_with = "strict::once")]
    payload: Map<String, Value>,
    /// Of which series it is a run: that of its own name, if it is left out; null is none, and then
    /// it has no verdict. At most 255 bytes of UTF-8 on one line, of which something can be seen.
    #[serde(default, deserialize_with = "body::given")]
    #[schemars(with = "Option<model::SeriesName>")]
    series: Option<Option<String>>,
    /// What it tests.
    #[serde(default, deserialize_with = "strict::object")]
    revision: Option<model::NewRevision>,
    /// Which failures make its verdict one; `failed` if it is left out.
    #[schemars(with = "Option<model::Gate>")]
    gate: Option<series::Gate>,
    /// What it is compared with, if not with the runs of its series before it on the same branch.
    #[serde(default, deserialize_with = "strict::object")]
    baseline: Option<model::NewBaseline>,
    /// Its jobs: all are taken, or none.
    #[serde(borrow)]
    #[schemars(with = "Vec<model::NewJob>", length(min = 1, max = MAX_JOBS))]
    jobs: RawJobs<'a>,
}

/// The texts of as many jobs as a batch may have, and how many there are in all.
struct RawJobs<'a> {
    kept: Vec<&'a RawValue>,
    count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for RawJobs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = RawJobs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of jobs")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawJobs<'de>, A::Error> {
                let mut jobs = RawJobs { kept: Vec::new(), count: 0 };
                while jobs.count < MAX_JOBS {
                    let Some(job) = list.next_element()? else { return Ok(jobs) };
                    jobs.kept.push(job);
                    jobs.count += 1;
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    jobs.count += 1;
                }
                Ok(jobs)
            }
        }

        deserializer.deserialize_seq(List)
    }
}

impl RawJobs<'_> {
    /// Where in the body the jobs stand.
    fn places(&self, body: &[u8]) -> Vec<Range<u32>> {
        let start = body.as_ptr() as usize;
        let place = |job: &&RawValue| {
            let from = job.get().as_ptr() as usize - start;
            // A body is smaller than 4 GiB.
            from as u32..(from + job.get().len()) as u32
        };
        self.kept.iter().map(place).collect()
    }
}

/// The jobs of a batch, as text.
pub(crate) struct Members {
    body: Bytes,
    places: Vec<Range<u32>>,
    /// Larger than the number of places when there are more jobs than a batch may have.
    count: usize,
}

impl JobSource for Members {
    fn len(&self) -> usize {
        self.count
    }

    fn job(&self, index: usize) -> Result<NewJob, Vec<Violation>> {
        let place = &self.places[index];
        let text = &self.body[place.start as usize..place.end as usize];
        let job: Result<model::NewJob, Violation> = body::parse_part(text);
        job.map(NewJob::from).map_err(|mut violation| {
            if violation.field == "body" {
                violation.field.clear();
            }
            vec![violation]
        })
    }
}
