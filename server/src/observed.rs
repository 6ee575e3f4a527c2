//! What results were like that no server declares: where that is kept, for the one user of a command line and for those of a deployment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use isolet::{ObservedShapes, PrincipalKey, Scope};
use isolet_observations::{MemoryShapes, SqliteShapes};
use serde_json::json;

use crate::fault::Fault;

/// The word for what ends with the process.
const MEMORY: &str = "memory";

/// What a command line says of it.
#[derive(Debug, Args)]
pub(crate) struct ObservedArguments {
    /// Show a model what results were like that no server declares, as far as they were seen: `memory` forgets it at the end, anything else is the file
    /// that keeps it. Names and kinds, never values. Default: nothing is observed.
    #[arg(long, value_name = "WHERE")]
    observed_shapes: Option<PathBuf>,
}

impl ObservedArguments {
    /// Where it is kept, if it is.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a file that cannot be used.
    pub(crate) fn open(&self) -> Result<Option<Observed>, Fault> {
        let file = self.observed_shapes.as_deref();
        file.map(|file| Observed::open((file != Path::new(MEMORY)).then_some(file), &BTreeSet::new())).transpose()
    }

    /// The same for a process that is started elsewhere.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = String> {
        let absolute = |file: &Path| std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let place = self.observed_shapes.as_deref();
        let place = place.map(|file| if file == Path::new(MEMORY) { file.to_owned() } else { absolute(file) });
        place.into_iter().flat_map(|place| ["--observed-shapes".to_owned(), place.display().to_string()])
    }
}

/// Where it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    shapes: Arc<dyn ObservedShapes>,
    file: Option<Arc<SqliteShapes>>,
}

/// The same for one user.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    shapes: Arc<dyn ObservedShapes>,
    principal: Arc<str>,
}

impl Observed {
    /// In `file`, or else in memory. Of the servers `shared`, users are shown what the replies of three of them had.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a file that cannot be used.
    pub(crate) fn open(file: Option<&Path>, shared: &BTreeSet<String>) -> Result<Self, Fault> {
        let shared = shared.iter().cloned();
        let Some(file) = file else {
            return Ok(Self { shapes: Arc::new(MemoryShapes::new().sharing(shared)), file: None });
        };
        let file = Arc::new(SqliteShapes::open(file, shared).map_err(Fault::usage)?);
        Ok(Self { shapes: file.clone(), file: Some(file) })
    }

    /// That of the one user of a command line.
    pub(crate) fn of_local_user(&self) -> Observer {
        self.of("local".into())
    }

    /// That of one user.
    pub(crate) fn of_user(&self, key: &PrincipalKey) -> Observer {
        self.of(json!([key.tenant(), key.user()]).to_string().into())
    }

    fn of(&self, principal: Arc<str>) -> Observer {
        Observer { shapes: Arc::clone(&self.shapes), principal }
    }

    /// Waits until a file has all of it.
    pub(crate) fn finish(&self) {
        if let Some(file) = &self.file {
            file.flush();
        }
    }
}

/// The scope with what was seen until now, and what is seen from now on is kept; as it is, if nobody observes.
pub(crate) fn observing(observer: Option<&Observer>, scope: Scope) -> Scope {
    match observer {
        Some(Observer { shapes, principal }) => scope.observing(Arc::clone(shapes), Arc::clone(principal)),
        None => scope,
    }
}
