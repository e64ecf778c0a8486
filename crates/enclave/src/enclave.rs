// SPDX-License-Identifier: Apache-2.0
//! The state machine's state, and which request does what.

use alloc::{boxed::Box, vec::Vec};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock},
};

use alloy_primitives::Address;
use subrosa_types::{
    Challenge,
    entry::{EntryKind, Execution},
    frame::{
        Attested, ErrorCode, FrameError, HeaderFrame, HelloReply, LoggedEntry, Request, Response,
        Started, WIRE_VERSION,
    },
};
use subrosa_vm::Engines;

use crate::{
    attest,
    boot::BootKeys,
    contracts::Contracts,
    epoch::{Active, Epochs},
    execute::{self, Asked, Opened, Unsealed},
    fixed::Fixed,
    job::{Job, Progress, Tag, Turn, Work},
    load::Loader,
    platform::{Platform, PlatformError},
    query, sign, snapshot,
};

/// An enclave's whole state. Lives as long as the process; survives its host.
///
/// Shared by as many threads as its process has: what takes long is done with nothing locked.
#[expect(missing_debug_implementations, reason = "holds every secret there is")]
pub struct Enclave {
    platform: Mutex<Box<dyn Platform>>,
    engines: Engines,
    boot: BootKeys,
    fixed: OnceLock<Fixed>,
    epochs: RwLock<Epochs>,
    contracts: Contracts,
    answers: Mutex<query::Answers>,
}

impl Enclave {
    /// Boots with the engines of its build: draws the signer and the node transfer key. `memory` is
    /// how many bytes the states of contracts may take together, about; those used least recently are
    /// dropped, and loaded again when they are needed.
    ///
    /// # Errors
    ///
    /// [`PlatformError`] if the platform gives no randomness.
    pub fn boot(
        mut platform: Box<dyn Platform>,
        engines: Engines,
        memory: usize,
    ) -> Result<Self, PlatformError> {
        let boot = BootKeys::draw(platform.as_mut())?;
        Ok(Self {
            platform: Mutex::new(platform),
            engines,
            boot,
            fixed: OnceLock::new(),
            epochs: RwLock::default(),
            contracts: Contracts::new(memory),
            answers: Mutex::default(),
        })
    }

    /// Answers one request, whatever it holds. For those who have one thread and no other request
    /// under way.
    pub fn handle(&mut self, request: Request) -> Response {
        let tag = Tag {
            stream: 0,
            request: 0,
        };
        let mut job = Some(self.accept(tag, request));
        while let Some(next) = job.take() {
            let progress = self.run(next);
            if let Some((_, response)) = progress.answer {
                return response;
            }
            job = progress.jobs.into_iter().next();
        }
        Response::Error(FrameError::new(ErrorCode::Broken, "no answer"))
    }

    /// Takes a request in. Those that execute the same log are executed in the order in which they are
    /// taken in.
    pub fn accept(&self, tag: Tag, request: Request) -> Job {
        let work = match request {
            Request::Execute {
                contract,
                entries,
                code_envelope,
                reassignment,
                proof,
            } => {
                let cell = self.contracts.any(contract);
                let alone = entries.iter().all(stands_alone);
                let ticket = (!alone).then(|| cell.draw());
                let asked = Asked {
                    contract,
                    entries,
                    code_envelope,
                    reassignment,
                    proof,
                };
                Work::Open(Turn { cell, ticket }, Box::new(asked))
            }
            request => Work::Answer(Box::new(request)),
        };
        Job { tag, work }
    }

    /// Does what is next for a job. Never panics, whatever its request holds.
    pub fn run(&self, job: Job) -> Progress {
        let Job { tag, work } = job;
        match work {
            Work::Answer(request) => {
                let answer = unbroken(|| self.answer(*request));
                Progress::answered(tag, answer.unwrap_or_else(Response::Error))
            }
            Work::Open(turn, asked) => self.open(tag, turn, *asked),
            Work::Execute(turn, opened) => self.execute(tag, turn, opened),
            Work::Seal(unsealed) => self.seal(tag, *unsealed),
        }
    }

    /// Takes back a job that was taken in and not run: its request is not acted upon. Returns the job
    /// that waited for it.
    pub fn refuse(&self, job: Job) -> Option<Job> {
        match job.work {
            Work::Open(turn, _) | Work::Execute(turn, _) => self.forgo(turn),
            Work::Answer(_) | Work::Seal(_) => None,
        }
    }

    /// Gives up a turn. Returns the job whose turn it is now.
    fn forgo(&self, turn: Turn) -> Option<Job> {
        let waited = turn
            .ticket
            .and_then(|ticket| turn.cell.lock().forgo(ticket));
        self.leave(turn);
        waited
    }

    fn open(&self, tag: Tag, turn: Turn, asked: Asked) -> Progress {
        let opened = unbroken(|| {
            execute::open(
                self.fixed()?,
                &self.engines,
                &self.active(),
                &turn.cell,
                asked,
            )
        });
        match opened {
            Ok(opened) => {
                let work = Work::Execute(turn, Box::new(opened));
                Progress {
                    answer: None,
                    jobs: Vec::from([Job { tag, work }]),
                }
            }
            Err(refusal) => {
                let mut progress = Progress::answered(tag, Response::Error(refusal));
                progress.jobs.extend(self.forgo(turn));
                progress
            }
        }
    }

    fn execute(&self, tag: Tag, turn: Turn, opened: Box<Opened>) -> Progress {
        let Turn { cell, ticket } = turn;
        let (opened, contract) = match ticket {
            None => (opened, cell.lock().contract()),
            Some(ticket) => {
                let turn = Turn {
                    cell: std::sync::Arc::clone(&cell),
                    ticket: Some(ticket),
                };
                let work = Work::Execute(turn, opened);
                match cell.lock().enter(ticket, Job { tag, work }) {
                    Some((job, contract)) => match job.work {
                        Work::Execute(_, opened) => (opened, contract),
                        _ => return Progress::default(),
                    },
                    // Whose turn it is lets it go on.
                    None => return Progress::default(),
                }
            }
        };
        let ran = unbroken(|| opened.run(self.fixed()?.place, contract));
        let mut progress = Progress::default();
        let _displaced;
        let mut inner = cell.lock();
        match ran {
            Ok(ran) => {
                // Entry 0 starts the contract over, whatever was known of it.
                _displaced = if ran.published.whole_in.is_some() {
                    inner.replace(ran.published)
                } else {
                    inner.publish(ran.published)
                };
                let work = Work::Seal(Box::new(ran.unsealed));
                progress.jobs.push(Job { tag, work });
            }
            Err(refusal) => progress.answer = Some((tag, Response::Error(refusal))),
        }
        if ticket.is_some() {
            progress.jobs.extend(inner.leave());
        }
        drop(inner);
        self.leave(Turn { cell, ticket });
        progress
    }

    fn seal(&self, tag: Tag, unsealed: Unsealed) -> Progress {
        let sealed = unbroken(|| unsealed.seal(&self.active()));
        let response = sealed.map(|executed| Response::Executed(Box::new(executed)));
        Progress::answered(tag, response.unwrap_or_else(Response::Error))
    }

    /// After a turn: memory is made fit, and a cell that came to nothing is forgotten.
    fn leave(&self, turn: Turn) {
        let id = turn.cell.id;
        drop(turn);
        self.contracts.fit(id);
        self.contracts.tidy(id);
    }

    fn answer(&self, request: Request) -> Result<Response, FrameError> {
        Ok(match request {
            Request::Hello { .. } => Response::Hello(Box::new(self.hello())),
            Request::Start { config, checkpoint } => {
                Response::Started(Box::new(self.start(&config, &checkpoint)?))
            }
            Request::Advance { update } => Response::Advanced(self.fixed()?.advance(&update)?),
            Request::Quote {
                block_hash,
                registrant,
            } => {
                let challenge = Challenge::Registration {
                    block_hash,
                    registrant,
                };
                let fixed = self.fixed()?;
                Response::Evidence(attest::quote(fixed, self.platform().as_mut(), &challenge)?)
            }
            Request::Attest {
                challenge,
                epoch,
                header,
                payee,
            } => Response::Attested(Box::new(self.attest(challenge, epoch, &header, payee)?)),
            Request::ProposeEpoch { epoch, members } => {
                let fixed = self.fixed()?;
                let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
                let mut platform = self.platform();
                let signer = &self.boot.signer;
                let proposal = epochs.propose(fixed, platform.as_mut(), signer, epoch, &members)?;
                Response::Epoch(Box::new(proposal))
            }
            Request::RestoreEpoch { sealed } => {
                let fixed = self.fixed()?;
                let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
                let signer = &self.boot.signer;
                let proposal = epochs.restore(fixed, self.platform().as_ref(), signer, &sealed)?;
                Response::Epoch(Box::new(proposal))
            }
            Request::ActivateEpoch { epoch, proof } => {
                let fixed = self.fixed()?;
                let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
                let keys = epochs.activate(fixed, epoch, &proof)?;
                Response::EpochActive(Box::new(keys))
            }
            Request::Load { contract, blobs } => {
                let loader = Loader {
                    place: self.fixed()?.place,
                    engines: &self.engines,
                    epochs: &self.active(),
                };
                let cell = self.contracts.any(contract);
                let loaded = loader.load(&cell, blobs);
                self.leave(Turn { cell, ticket: None });
                loaded?
            }
            Request::CheckCode { entry, envelope } => {
                let place = self.fixed()?.place;
                let engines = &self.engines;
                execute::check_code(engines, place, &self.active(), &entry, &envelope)?;
                Response::CodeOpens
            }
            Request::Snapshot { contract, part } => {
                let place = self.fixed()?.place;
                let cell = self.contracts.known(contract)?;
                let blob = snapshot::take(place, &self.active(), &cell, part)?;
                Response::Snapshot(Box::new(blob))
            }
            Request::Anchor {
                contract,
                before,
                links,
                proof,
            } => {
                let fixed = self.fixed()?;
                let cell = self.contracts.any(contract);
                let anchored = execute::anchor(fixed, &cell, (before, &links), &proof);
                self.leave(Turn { cell, ticket: None });
                Response::Anchored(anchored?)
            }
            Request::Sign { results, role } => {
                let fixed = self.fixed()?;
                let signed = sign::sign(fixed, &self.boot.signer, &self.contracts, &results, role)?;
                Response::Signed(Box::new(signed))
            }
            Request::Query { contract, envelope } => {
                let fixed = self.fixed()?;
                let contract = self.contracts.known(contract)?.for_query()?;
                let (epochs, signer) = (self.active(), &self.boot.signer);
                let runtimes = self.engines.runtimes();
                let reply = query::Answers::answer(
                    &self.answers,
                    signer.address(),
                    &contract,
                    &envelope,
                    || query::query(fixed, runtimes, &epochs, signer, &contract, &envelope),
                )?;
                Response::Queried(Box::new(reply))
            }
            Request::Statement { contract, nonce } => {
                let fixed = self.fixed()?;
                let contract = self.contracts.known(contract)?.contract()?;
                let signed = sign::statement(fixed, &self.boot.signer, &contract, nonce)?;
                Response::Statement(Box::new(signed))
            }
            _ => return Err(FrameError::new(ErrorCode::Unsupported, "unknown request")),
        })
    }

    fn hello(&self) -> HelloReply {
        HelloReply {
            wire_version: WIRE_VERSION,
            boot_id: self.boot.id,
            started: self.fixed.get().map(|fixed| fixed.started.clone()),
            epochs: self.active().public_keys(),
            contracts: self.contracts.summaries(),
        }
    }

    fn start(&self, config: &[u8], checkpoint: &[u8]) -> Result<Started, FrameError> {
        // Held until it is known whether this is the first start.
        let mut platform = self.platform();
        if let Some(fixed) = self.fixed.get() {
            return fixed.start_again(config, checkpoint);
        }
        let fixed = Fixed::start(platform.as_mut(), &self.boot, config, checkpoint)?;
        Ok(self.fixed.get_or_init(|| fixed).started.clone())
    }

    fn attest(
        &self,
        challenge: Vec<u8>,
        epoch: u32,
        header: &HeaderFrame,
        payee: Option<Address>,
    ) -> Result<Attested, FrameError> {
        let fixed = self.fixed()?;
        let signer = &self.boot.signer;
        let challenge = attest::fresh(challenge)?;
        let epochs = self.active();
        let statement = attest::statement(fixed, &epochs, &challenge, epoch, header)?;
        let bundle = attest::quote(fixed, self.platform().as_mut(), &challenge)?;
        let signature = attest::sign(fixed, signer, &statement);
        let answer = match payee {
            Some(payee) => {
                let made = (&bundle, &statement, &signature);
                Some(attest::answer(fixed, &epochs, signer, made, payee)?)
            }
            None => None,
        };
        Ok(Attested {
            bundle,
            statement,
            signature,
            answer,
        })
    }

    fn fixed(&self) -> Result<&Fixed, FrameError> {
        let not_started = || FrameError::new(ErrorCode::OutOfOrder, "not started");
        self.fixed.get().ok_or_else(not_started)
    }

    fn active(&self) -> Active {
        self.epochs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .active()
    }

    fn platform(&self) -> MutexGuard<'_, Box<dyn Platform>> {
        self.platform.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an entry is a call of a stateless contract, which needs no turn.
fn stands_alone(logged: &LoggedEntry) -> bool {
    let kind = Execution::unpack(logged.entry.execution).map(|execution| execution.kind);
    logged.entry.is_stateless() && kind == Ok(EntryKind::Call)
}

/// Turns a panic, of which there must be none, into a refusal: it costs this request.
fn unbroken<T>(work: impl FnOnce() -> Result<T, FrameError>) -> Result<T, FrameError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = "the enclave broke at this request";
        Err(FrameError::new(ErrorCode::Broken, message))
    })
}
