// SPDX-License-Identifier: Apache-2.0
//! A request on its way through the enclave, in stages that whoever has threads may run on any of them.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use subrosa_types::{
    ContractId,
    frame::{Lane, Request, Response},
};

use crate::{
    cell::Cell,
    execute::{Asked, Opened, Unsealed},
};

/// Whose request it is: names that only the caller gives a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The stream that it came on.
    pub stream: u64,
    /// Its id there.
    pub request: u64,
}

/// A request that is not answered yet, and what is done for it next.
///
/// Run it with [`Enclave::run`](crate::Enclave::run). One that is dropped instead is never answered,
/// and holds up what waits for its turn behind it.
#[must_use]
pub struct Job {
    pub(crate) tag: Tag,
    pub(crate) work: Work,
}

pub(crate) enum Work {
    /// Anything that is answered at once.
    Answer(Box<Request>),
    /// Entries of a log: nothing is done yet.
    Open(Turn, Box<Asked>),
    /// They are proven and opened, and wait for their turn.
    Execute(Turn, Box<Opened>),
    /// They are executed.
    Seal(Box<Unsealed>),
}

/// A place in the line of those who execute one contract's log.
pub(crate) struct Turn {
    pub(crate) cell: Arc<Cell<Job>>,
    /// `None`: stands in no line, as it changes nothing.
    pub(crate) ticket: Option<u64>,
}

/// What is done next for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It is answered.
    Answer,
    /// Its entries are proven, and their inputs opened.
    Open,
    /// Its entries are executed.
    Execute,
    /// Its results are sealed, and it is answered.
    Seal,
}

/// What running a job came to.
#[derive(Debug, Default)]
pub struct Progress {
    /// Whose request is answered, and how.
    pub answer: Option<(Tag, Response)>,
    /// What can be run next: the job itself if it is not done, and one that waited for it.
    pub jobs: Vec<Job>,
}

impl Job {
    /// Whose request it is.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// What is done for it next.
    pub fn stage(&self) -> Stage {
        match self.work {
            Work::Answer(_) => Stage::Answer,
            Work::Open(..) => Stage::Open,
            Work::Execute(..) => Stage::Execute,
            Work::Seal(_) => Stage::Seal,
        }
    }

    /// The contract whose guest runs next, if that is what is done.
    pub fn executes(&self) -> Option<ContractId> {
        match &self.work {
            Work::Execute(turn, _) => Some(turn.cell.id),
            _ => None,
        }
    }

    /// The lane that it travels in.
    pub fn lane(&self) -> Lane {
        match &self.work {
            Work::Answer(request) => request.lane(),
            _ => Lane::Execution,
        }
    }
}

impl Progress {
    pub(crate) fn answered(tag: Tag, response: Response) -> Self {
        Self {
            answer: Some((tag, response)),
            jobs: Vec::new(),
        }
    }
}

/// Shows where it is; never what it holds.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("tag", &self.tag)
            .field("stage", &self.stage())
            .finish_non_exhaustive()
    }
}
