// SPDX-License-Identifier: Apache-2.0
//! What must not leak, and what must be found so that not finding means something.

use std::collections::HashSet;

use eyre::Result;

use crate::secrecy::Needle;

/// Bytes per window of code.
pub(crate) const WINDOW: usize = 16;

/// Everything that stays secret, and two things that do not.
pub(crate) struct Secrets {
    /// Bids below and above the clearing price, and the reserve price.
    pub(crate) numbers: Vec<(String, u128)>,
    /// Creation code and runtime code of the confidential contract.
    pub(crate) code: Vec<(String, Vec<u8>)>,
    /// Public by definition.
    pub(crate) clearing_price: u128,
    /// Planted on chain and in a file of the host.
    pub(crate) control: [u8; WINDOW],
}

impl Secrets {
    /// What to look for, given what is public anyway. Also the number of windows left out.
    pub(crate) fn needles(&self, public: &[Vec<u8>]) -> (Vec<Needle>, usize) {
        let mut needles: Vec<_> = self
            .numbers
            .iter()
            .flat_map(|(name, value)| Needle::number(name, *value))
            .collect();
        let (mut all, mut kept) = (0, 0);
        for (name, code) in &self.code {
            let windows = Needle::windows(name, code, public, WINDOW);
            all += code.windows(WINDOW).collect::<HashSet<_>>().len();
            kept += windows.len();
            needles.extend(windows);
        }
        (needles, all - kept)
    }
}

/// A random amount of wei between one and eight ether: eight significant bytes, all of them random.
pub(crate) fn random_amount() -> Result<u128> {
    const ETHER: u64 = 1_000_000_000_000_000_000;
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| eyre::eyre!("no randomness"))?;
    Ok(u128::from(ETHER + u64::from_be_bytes(bytes) % (7 * ETHER)))
}
