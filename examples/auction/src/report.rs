// SPDX-License-Identifier: Apache-2.0
//! What the demonstration prints.

use std::{fmt::Display, time::Instant};

/// Numbers the steps and says how long each took.
pub(crate) struct Report {
    number: u32,
    begun: Instant,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            number: 0,
            begun: Instant::now(),
        }
    }

    pub(crate) fn step(&mut self, title: impl Display) {
        self.number += 1;
        println!("\n{:>2}. {title}", self.number);
    }

    pub(crate) fn detail(&self, line: impl Display) {
        println!("      {line}");
    }

    pub(crate) fn check(&self, line: impl Display) {
        println!("    ✓ {line}");
    }

    pub(crate) fn success(&self) {
        println!(
            "\nEverything held, in {:.1} s.",
            self.begun.elapsed().as_secs_f64()
        );
    }
}
