// SPDX-License-Identifier: Apache-2.0
//! How many challenges are answered a minute.

use std::{collections::VecDeque, time::Duration};

/// So many in any minute.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    /// When it was drawn on in the last minute.
    drawn: VecDeque<Duration>,
}

impl Budget {
    pub(super) fn a_minute(most: u32) -> Self {
        Self {
            most: most as usize,
            drawn: VecDeque::new(),
        }
    }

    /// Draws one at this time, or says how long to wait.
    pub(super) fn draw(&mut self, now: Duration) -> Result<(), Duration> {
        while self.drawn.front().is_some_and(|at| *at + MINUTE <= now) {
            self.drawn.pop_front();
        }
        match self.drawn.front() {
            Some(first) if self.drawn.len() >= self.most => Err(*first + MINUTE - now),
            _ => {
                self.drawn.push_back(now);
                Ok(())
            }
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_drawn_in_any_minute() {
        let mut budget = Budget::a_minute(2);
        let at = Duration::from_secs;
        assert_eq!(budget.draw(at(1)), Ok(()));
        assert_eq!(budget.draw(at(31)), Ok(()));
        assert_eq!(budget.draw(at(41)), Err(at(20)));
        assert_eq!(budget.draw(at(61)), Ok(()));
        assert_eq!(budget.draw(at(61)), Err(at(30)));
    }
}
