use std::time::Duration;

use futures_util::future::try_join_all;
use jobrunner_core::{Batch, BatchId, series::Gate};

use super::{
    batch_show,
    changed::Told,
    events,
    list::{Listing, owner},
    names, verdict,
};
use crate::{
    args::{Batch as Args, BatchCommand, BatchList, BatchSubmit, Output, Remote, Wait},
    client::{Client, Key, NewBatchWithJobs, routes},
    commands::suite::{dry_run, usual_rules},
    exit::{Exit, Failure},
    find,
    follow::{self, Waited},
    junit, limits,
    output::{self, note},
    progress::words_of,
    settings,
    suite::Suite,
    summary,
    table::{self, Context},
    tables::{BATCHES, CAUSES, TIMELINE},
};

pub(crate) async fn batch(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    // A suite is read before anybody is asked for anything.
    if let BatchCommand::Submit(submit) = args.command {
        return self::submit(remote, submit).await;
    }
    let client = &Client::signed_in(remote).await?;
    match args.command {
        BatchCommand::Submit(_) => Ok(Exit::Success),
        BatchCommand::List(list) => self::list(client, remote, &list).await,
        BatchCommand::Show { batch } => {
            batch_show::show(client, remote, find::batch(client, &batch).await?).await
        }
        BatchCommand::Watch { batch, wait_timeout } => {
            watch(client, remote, find::batch(client, &batch).await?, wait_timeout).await
        }
        BatchCommand::Wait { batches, gate, wait_timeout } => {
            let ids = find::batches(client, &batches).await?;
            match ids[..] {
                [id] => follow_to_end(client, remote, id, (gate, wait_timeout)).await,
                _ => wait(client, remote, &ids, (gate, wait_timeout)).await,
            }
        }
        BatchCommand::Cancel { batches } => {
            let told = Told { id, line: |batch| format!("{}: {}", batch.id, words_of(batch)) };
            let ids = find::batches(client, &batches).await?;
            told.each(remote, &ids, async |id| client.cancel_batch(id).await).await
        }
        BatchCommand::Rerun { batch, only, wait } => {
            let id = find::batch(client, &batch).await?;
            accepted(client, remote, &client.rerun_batch(id, only).await?, wait).await
        }
        BatchCommand::Delete { batches } => {
            let told = Told { id: BatchId::to_string, line: |id| format!("{id}  deleted") };
            let ids = find::batches(client, &batches).await?;
            told.each(remote, &ids, async |id| client.delete_batch(id).await.map(|()| id)).await
        }
        BatchCommand::Causes { batch } => {
            causes(client, remote, find::batch(client, &batch).await?).await
        }
        BatchCommand::Verdict { batch, class, limit } => {
            let id = find::batch(client, &batch).await?;
            verdict::show(client, remote, id, (class, limit)).await
        }
        BatchCommand::Diff { batch, beside, class, limit } => {
            let both = (find::batch(client, &batch).await?, find::batch(client, &beside).await?);
            verdict::diff(client, remote, both, (class, limit)).await
        }
        BatchCommand::Timeline { batch } => {
            timeline(client, remote, find::batch(client, &batch).await?).await
        }
        BatchCommand::Events { batch } => {
            events::events(client, remote, find::batch(client, &batch).await?).await
        }
        BatchCommand::Junit { batch, out } => {
            let document = client.junit(find::batch(client, &batch).await?).await?;
            match out {
                Some(file) => junit::write(document, &file).await?,
                None => junit::print(document).await?,
            }
            Ok(Exit::Success)
        }
    }
}

fn id(batch: &Batch) -> String {
    batch.id.to_string()
}

async fn submit(remote: &Remote, args: BatchSubmit) -> Result<Exit, Failure> {
    let suite = Suite::read(&args.suite)?;
    if args.dry_run {
        return dry_run(&suite.checked(&args.set, &usual_rules()?)?, remote.output);
    }
    let (mut batch, jobs) = suite.expand(&args.set)?;
    // What the suite says is weaker than what is asked for here, and stronger than what is usual.
    if remote.project.is_some() || batch.project.is_none() {
        batch.project = settings::project(remote.project.as_ref())?;
    }
    let client = Client::signed_in(remote).await?;
    let new = NewBatchWithJobs { batch: &batch, jobs: &jobs };
    let batch = client.submit_batch(&new, Key::from(args.idempotency_key)).await?;
    limits::tell_of_batch(&client, batch.id, &jobs).await;
    accepted(&client, remote, &batch, args.wait).await
}

/// Tells the id of a batch that was just made, or waits for its end.
async fn accepted(
    client: &Client,
    remote: &Remote,
    batch: &Batch,
    wait: Wait,
) -> Result<Exit, Failure> {
    if wait.wait {
        note(&format!("batch {}", batch.id));
        return watch(client, remote, batch.id, wait.wait_timeout).await;
    }
    match remote.output {
        Output::Json => output::json(batch)?,
        Output::Table => {
            output::line(&batch.id.to_string())?;
            note(&format!("watch it with: jobrunner batch watch {}", batch.id));
        }
    }
    Ok(Exit::Success)
}

async fn watch(
    client: &Client,
    remote: &Remote,
    id: BatchId,
    limit: Option<Duration>,
) -> Result<Exit, Failure> {
    follow_to_end(client, remote, id, (None, limit)).await
}

/// Follows a batch to its end, and exits as a gate says, or its own.
async fn follow_to_end(
    client: &Client,
    remote: &Remote,
    id: BatchId,
    (gate, limit): (Option<Gate>, Option<Duration>),
) -> Result<Exit, Failure> {
    let hint = format!("the batch goes on: jobrunner batch watch {id}");
    let batch = match follow::until(limit, &hint, follow::batch(client, id)).await? {
        Waited::For(batch) => batch,
        Waited::InVain(exit) => return Ok(exit),
    };
    match remote.output {
        Output::Json => output::json(&batch)?,
        Output::Table if remote.quiet => {}
        Output::Table => summary::print(client, &batch).await?,
    }
    verdict::exit(client, &batch, gate).await
}

/// Waits for several batches at once.
async fn wait(
    client: &Client,
    remote: &Remote,
    ids: &[BatchId],
    (gate, limit): (Option<Gate>, Option<Duration>),
) -> Result<Exit, Failure> {
    let each = ids.iter().map(|id| async {
        let batch = follow::batch_in_silence(client, *id).await?;
        note(&format!("{}: {}", batch.name, batch.status));
        Ok::<_, Failure>(batch)
    });
    let hint = "the batches go on";
    let batches = match follow::until(limit, hint, try_join_all(each)).await? {
        Waited::For(batches) => batches,
        Waited::InVain(exit) => return Ok(exit),
    };
    match remote.output {
        Output::Json => output::json(&batches)?,
        Output::Table if remote.quiet => {}
        Output::Table => {
            let context = context(client, &batches).await?;
            output::things(&table::chosen(BATCHES, &[])?, &batches, &context)?;
        }
    }
    let exits = batches.iter().map(|batch| verdict::exit(client, batch, gate));
    Ok(Exit::worst(try_join_all(exits).await?.into_iter()))
}

async fn list(client: &Client, remote: &Remote, args: &BatchList) -> Result<Exit, Failure> {
    let mut filters = Vec::new();
    filters.extend(args.status.map(|status| ("status", status.to_string())));
    filters.extend(args.name.clone().map(|name| ("name", name)));
    let owner = owner(client, &args.owner).await?;
    filters.extend(owner.map(|owner| ("owner_id", owner.to_string())));
    let project = settings::project(remote.project.as_ref())?;
    filters.extend(project.map(|project| ("project", project.to_string())));
    let listing = Listing {
        client,
        remote,
        list: &args.list,
        route: routes::BATCHES,
        filters,
        columns: BATCHES,
        id,
        what: "batches",
    };
    listing.show(async |batches: &[Batch]| context(client, batches).await).await
}

async fn context(client: &Client, batches: &[Batch]) -> Result<Context, Failure> {
    let mut context = Context::of(batches.iter().map(|batch| batch.id.as_uuid()));
    context.owners = names::owners(client, batches.iter().map(|batch| batch.owner_id)).await?;
    Ok(context)
}

async fn causes(client: &Client, remote: &Remote, id: BatchId) -> Result<Exit, Failure> {
    let causes = client.causes(id).await?;
    match remote.output {
        Output::Json => output::json(&causes)?,
        Output::Table if causes.is_empty() => note("nothing has failed"),
        Output::Table => {
            let context = Context::of(std::iter::empty());
            output::things(&table::chosen(CAUSES, &[])?, &causes, &context)?;
        }
    }
    Ok(Exit::Success)
}

async fn timeline(client: &Client, remote: &Remote, id: BatchId) -> Result<Exit, Failure> {
    let moments = client.timeline(id).await?;
    match remote.output {
        Output::Json => output::json(&moments)?,
        Output::Table if moments.is_empty() => note("not started yet"),
        Output::Table => {
            let context = Context::of(std::iter::empty());
            output::things(&table::chosen(TIMELINE, &[])?, &moments, &context)?;
        }
    }
    Ok(Exit::Success)
}
