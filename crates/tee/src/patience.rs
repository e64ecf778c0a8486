// SPDX-License-Identifier: Apache-2.0
//! How often to ask again.

use std::time::Duration;

use crate::TeeError;

/// How long a busy platform, or a racing writer, is put up with.
///
/// The pause is politeness towards hardware that is shared with other guests. Nothing depends on
/// its length: whether an answer is ours is read from the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// At least 1.
    pub(crate) attempts: u32,
    /// Between two attempts.
    pub(crate) pause: Duration,
}

impl Patience {
    /// What configfs-tsm, Gramine and a TPM get.
    pub(crate) const KERNEL: Self = Self {
        attempts: 8,
        pause: Duration::from_millis(250),
    };

    /// Azure renews a hardware report at most every two seconds.
    pub(crate) const AZURE: Self = Self {
        attempts: 4,
        pause: Duration::from_millis(1_100),
    };

    /// Repeats `attempt` while its fault [is transient](TeeError::is_transient); the last such
    /// fault is returned with the number of attempts made.
    pub(crate) fn run<T>(
        self,
        mut attempt: impl FnMut() -> Result<T, TeeError>,
    ) -> Result<T, TeeError> {
        let mut made = 1;
        loop {
            match attempt() {
                Err(error) if error.is_transient() => {
                    if made >= self.attempts {
                        return Err(match error {
                            TeeError::Busy { what, .. } => TeeError::Busy {
                                what,
                                attempts: made,
                            },
                            TeeError::Raced { what, .. } => TeeError::Raced {
                                what,
                                attempts: made,
                            },
                            other => other,
                        });
                    }
                    made += 1;
                    std::thread::sleep(self.pause);
                }
                other => return other,
            }
        }
    }

    /// As many attempts, without pauses.
    #[cfg(test)]
    pub(crate) const IMPATIENT: Self = Self {
        attempts: 4,
        pause: Duration::ZERO,
    };
}
