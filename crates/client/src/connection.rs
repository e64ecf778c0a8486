// SPDX-License-Identifier: Apache-2.0
//! A connection to a deployment's chain and node, neither of which is believed.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use subrosa_types::{
    ContractId,
    rpc::{EntryRequest, Receipt},
};

use crate::{ClientError, Deployment, NodeClient, chain::Chain};

/// A connection to a deployment. It can send what is public and watch the chain; to encrypt, it
/// must first be [attested](Self::attest).
#[derive(Clone, Debug)]
pub struct Connection {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) chain: Chain,
    pub(crate) node: NodeClient,
    pub(crate) clock: Clock,
}

impl Connection {
    /// Connects to what `deployment` names. The node is not contacted yet.
    ///
    /// # Errors
    ///
    /// [`ChainError::Unreachable`](crate::ChainError::Unreachable) if the chain cannot be reached.
    pub async fn open(deployment: Deployment) -> Result<Self, ClientError> {
        Self::with_clock(deployment, Clock::system()).await
    }

    /// As [`Self::open`], with another idea of what time it is.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub async fn with_clock(deployment: Deployment, clock: Clock) -> Result<Self, ClientError> {
        let chain = Chain::connect(
            &deployment.rpc_url,
            deployment.measured.chain_id,
            deployment.measured.oracle,
            deployment.measured.registry,
        )
        .await?;
        let node = NodeClient::new(&deployment.node_url)?;
        Ok(Self {
            deployment: Arc::new(deployment),
            chain,
            node,
            clock,
        })
    }

    /// What is trusted.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The node's receipt of a fulfilled entry, to be held against
    /// [`receipt::verify`](crate::receipt::verify).
    ///
    /// # Errors
    ///
    /// [`ClientError::Node`].
    pub async fn receipt(&self, contract: ContractId, seq: u64) -> Result<Receipt, ClientError> {
        Ok(self.node.receipt(&EntryRequest { contract, seq }).await?)
    }

    /// When the transaction that a receipt points to was mined (Unix seconds), for
    /// [`ReceiptTrust::fulfilled_at`](crate::receipt::ReceiptTrust::fulfilled_at). `None` if the
    /// receipt names none, or the chain does not know it or says that it reverted.
    ///
    /// # Errors
    ///
    /// [`ClientError::Chain`].
    pub async fn fulfilled_at(&self, receipt: &Receipt) -> Result<Option<u64>, ClientError> {
        let Some(hash) = receipt.transaction else {
            return Ok(None);
        };
        let mined = self.chain.transaction(hash).await?;
        let block = mined
            .filter(|transaction| transaction.status())
            .and_then(|transaction| transaction.block_number);
        match block {
            Some(block) => Ok(self.chain.timestamp(block).await?),
            None => Ok(None),
        }
    }

    /// The node, which is not trusted.
    pub fn node(&self) -> &NodeClient {
        &self.node
    }
}

/// What time it is, in Unix seconds.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// The operating system's clock.
    pub fn system() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.map_or(0, |duration| duration.as_secs())
        })
    }

    /// Whatever `now` returns.
    pub fn new(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    pub fn now(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
