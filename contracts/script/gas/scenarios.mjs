// SPDX-License-Identifier: Apache-2.0
// What is measured, in the warm steady state: accounts, logs and heads have been used before, the
// callback writes one slot that is not zero, and whoever submits results is paid for it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, hexToBigInt, keccak256, parseEther, parseEventLogs } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { PRICES } from '../deploy/prices.mjs';
import { breakdown } from './breakdown.mjs';
import { measureDcap, startHash } from './dcap.mjs';
import {
  batch, entryDigest, group, hash, item, randomBytes, signForRegistry, signResults, terms, zero,
} from './protocol.mjs';

const teeKind = 1;
const keyGroup = 1;
const keyEpoch = 1;
const fee = parseEther('0.003');
/** Slots of a log's ring. */
const ring = 64;
const callbackGas = 60_000;
const day = 86_400n;

/** Envelope of format version 1, suite X-Wing: header, encapsulated key, a call with 32 bytes of input
 * and a reply key padded to 512 bytes, AEAD tag. */
const envelopeLength = 100 + 1120 + 512 + 16;

/** The same in a session: header, the session's id, 32 bytes of input behind their length padded to 64
 * bytes, AEAD tag. */
const sessionEnvelopeLength = 100 + 8 + 64 + 16;

/** The same with the 68 bytes of a call of `GasBalances.transfer`, padded to 128. */
const transferEnvelopeLength = 100 + 8 + 128 + 16;

/** What is measured besides DCAP: the name of a scenario, and what sends its transaction and gives its gas. */
const scenarios = {
  request_32B_first: (stage) => request(stage, 32, false),
  request_32B: (stage) => steady(stage, () => request(stage, 32, false)),
  request_bounded_32B: (stage) => request(stage, 32, false, { epoch: keyEpoch, code: 1, charge: 1 }),
  request_1KB: (stage) => request(stage, 1024, false),
  request_sealed_32B: (stage) => request(stage, envelopeLength, true),
  request_session_32B: (stage) => request(stage, sessionEnvelopeLength, true),
  request_many16_each: (stage) => requestMany(stage, 16),
  fulfill_single: (stage) => fulfill(stage, stage.confidential.slice(0, 1), 1),
  fulfill_batch16_same_each: (stage) => fulfill(stage, stage.confidential.slice(0, 1), 16),
  fulfill_batch16_distinct_each: (stage) => fulfill(stage, stage.confidential, 1),
  fulfill_threshold2_single: (stage) => fulfill(stage, [stage.guarded], 1),
  erc7984_transfer: (stage) => transfers(stage, 1),
  erc7984_transfer_batch16_each: (stage) => transfers(stage, 16),
  register_signer_verifier: (stage) => admit(stage, stage.random(32)),
};

/** Deploys everything and gives the gas used by each scenario's transaction, per item for batches. */
export async function measure(chain, root) {
  const stage = await prepare(chain, root);
  const gas = {};
  for (const [name, scenario] of Object.entries(scenarios)) gas[name] = await scenario(stage);
  return { ...gas, ...(await measureDcap(stage)) };
}

/** What each scenario's transaction spends its gas on; of a batch the sum. `chain` must trace. */
export async function explain(chain, root) {
  const stage = await prepare(chain, root);
  const parts = {};
  for (const [name, scenario] of Object.entries(scenarios)) {
    await scenario(stage);
    parts[name] = await breakdown(chain.client, chain.last());
    if (name.startsWith('erc7984')) {
      parts[`${name}, the request`] = await breakdown(chain.client, stage.asked);
    }
  }
  return parts;
}

async function prepare(chain, root) {
  const artifact = (name) => JSON.parse(readFileSync(join(root, 'artifacts', `${name}.json`), 'utf8'));
  const built = JSON.parse(readFileSync(join(root, 'out', 'gas', 'GasConsumer.sol', 'GasConsumer.json'), 'utf8'));
  const random = randomBytes('subrosa gas');
  const [governor, relayer, user, friend] = [0, 1, 2, 3].map(chain.account);
  const chainId = await chain.client.getChainId();

  const deploy = async (code, args) => {
    const { abi } = code;
    const bytecode = code.bytecode.object ?? code.bytecode;
    const { contractAddress } = await chain.send(governor, { abi, bytecode, args });
    return { abi, address: contractAddress };
  };
  const authority = await deploy(artifact('AccessManager'), [governor.address]);
  const registry = await deploy(artifact('SubrosaRegistry'), [authority.address, 0, 30 * 86_400, 3600, 0]);
  const oracle = await deploy(artifact('SubrosaOracle'), [registry.address, PRICES]);

  const stage = { chain, chainId, random, governor, relayer, user, friend, registry, oracle, confidential: [] };
  stage.deploy = (name, args) => deploy(artifact(name), args);
  await govern(stage);
  stage.signerKey = bytesToHex(random(32));
  await admit(stage, hexBytes(stage.signerKey));
  await openEpoch(stage);
  const deployConsumer = () => deploy(built, [oracle.address]);
  for (let i = 0; i < 16; i++) stage.confidential.push(await register(stage, deployConsumer));
  for (const confidential of stage.confidential) await fulfillPending(stage, [confidential]);

  // One more enclave, on another machine, and a contract that asks for the word of two.
  stage.cosignerKey = bytesToHex(random(32));
  await admit(stage, hexBytes(stage.cosignerKey));
  stage.guarded = await register(stage, deployConsumer, { signers: 2, kinds: 1 });
  await fulfillPending(stage, [stage.guarded]);
  const token = JSON.parse(readFileSync(join(root, 'out', 'gas', 'GasToken.sol', 'GasToken.json'), 'utf8'));
  stage.token = await register(stage, (contractId) => deploy(token, [oracle.address, contractId]), { transfers: true });
  await fulfillPending(stage, [stage.token]);
  return stage;
}

/** Trusts one verifier, one build, one configuration and one runtime generation. */
async function govern(stage) {
  const { chain, governor, registry, random } = stage;
  stage.verifierKey = bytesToHex(random(32));
  stage.rootId = bytesToHex(random(32));
  stage.configHash = bytesToHex(random(32));
  const measurementHash = bytesToHex(random(32));
  stage.measurementId = hash('measurement', stage.rootId, BigInt(teeKind), measurementHash);
  const call = (functionName, args) => chain.send(governor, { ...registry, functionName, args });
  await call('setVerifier', [privateKeyToAddress(stage.verifierKey), true]);
  await call('addMeasurement', [stage.rootId, teeKind, measurementHash]);
  await call('addConfig', [stage.configHash, keyGroup]);
  await call('addRuntime', [1]);
  await call('setFamily', [teeKind, 16, false]);
}

async function admit(stage, signerKey) {
  const { chain, relayer, registry, random } = stage;
  const block = await chain.client.getBlock();
  const word = () => bytesToHex(random(32));
  const admission = {
    signer: privateKeyToAddress(bytesToHex(signerKey)),
    transferKeyHash: word(),
    measurementId: stage.measurementId,
    configHash: stage.configHash,
    startHash,
    rootId: stage.rootId,
    teeKind,
    product: word(),
    machineId: word(),
    tcbStatus: 1,
    tcbEvaluation: 17,
    policyHash: word(),
    evidenceHash: word(),
    challengeBlock: block.number,
    challengeBlockHash: block.hash,
    registrant: relayer.address,
    notAfter: block.timestamp + 7n * day,
  };
  const signature = await signForRegistry({
    chainId: stage.chainId,
    registry: registry.address,
    privateKey: stage.verifierKey,
    primaryType: 'SignerAdmission',
    components: structure(registry.abi, 'admit', 0),
    message: admission,
  });
  const receipt = await chain.send(relayer, { ...registry, functionName: 'admit', args: [admission, [signature]] });
  return Number(receipt.gasUsed);
}

async function openEpoch(stage) {
  const { chain, relayer, registry, random } = stage;
  const members = [{ measurementId: stage.measurementId, configHash: stage.configHash }];
  // Sealed by the platform: current once it is open.
  const recovery = 2n << 248n;
  const schedule = { keyGroup, keyEpoch, members, recovery, custodians: [], continues: false, notBefore: 0 };
  await chain.send(stage.governor, { ...registry, functionName: 'scheduleEpoch', args: [schedule] });
  const [setHash] = await chain.client.readContract({ ...registry, functionName: 'scheduleOf', args: [keyGroup, keyEpoch] });
  const opening = {
    keyGroup,
    keyEpoch,
    publicKeyHash: bytesToHex(random(32)),
    configHash: stage.configHash,
    setHash,
    recovery,
  };
  const signature = await signForRegistry({
    chainId: stage.chainId,
    registry: registry.address,
    privateKey: stage.signerKey,
    primaryType: 'EpochOpening',
    components: structure(registry.abi, 'openEpoch', 0),
    message: opening,
  });
  const args = [opening, privateKeyToAddress(stage.signerKey), signature];
  await chain.send(relayer, { ...registry, functionName: 'openEpoch', args });
}

/** Registers a confidential contract with a consumer of its own; a token is one whose requests are transfers. */
async function register(stage, deployConsumer, { signers = 0, kinds = 0, transfers = false } = {}) {
  const { chain, user, oracle, random } = stage;
  const { timestamp } = await chain.client.getBlock();
  const commitment = bytesToHex(random(32));
  const registration = {
    codeCommitment: commitment,
    context: bytesToHex(random(32)),
    keyGroup,
    keyEpoch,
    finalityClass: 1,
    runtimeGeneration: 1,
    stateless: false,
    world: false,
    profile: 0,
    abandonedOnRetirement: false,
    fuelLimit: 10_000_000n,
    upgradeDelay: 0,
    deadline: Number(timestamp + day),
    signers,
    kinds,
    policy: {
      chargeGwei: 0n,
      baseFeeSixteenths: 24,
      gasPriceFloor: 1_000_000_000n,
      minimumDeadline: 3600,
      maximumCallbackGas: 1_000_000,
      restricted: false,
      paused: false,
    },
  };
  const receipt = await chain.send(user, { ...oracle, functionName: 'register', args: [registration], value: fee });
  const [registered] = parseEventLogs({ abi: oracle.abi, logs: receipt.logs, eventName: 'Registered' });
  const confidential = {
    contractId: registered.args.contractId,
    consumer: await deployConsumer(registered.args.contractId),
    signers,
    transfers,
    pending: [],
    length: 0,
    executedDigest: word0,
    commitment: 0n,
    executed: 0n,
  };
  appended(stage, confidential, receipt, commitment);
  // One request beforehand by everybody concerned, so that nonces, lengths and handles are not zero.
  await (transfers ? transfer : ask)(stage, confidential);
  return confidential;
}

/** The gas of a request sent by an account. `bounds` are the charge and the epoch that its terms name. */
async function request(stage, length, envelope, bounds = {}) {
  const { chain, user, oracle, random } = stage;
  const [confidential] = stage.confidential;
  const { timestamp } = await chain.client.getBlock();
  const input = random(length);
  const context = `0x${user.address.slice(2)}${'1'.padStart(24, '0')}`;
  const receipt = await chain.send(user, {
    ...oracle,
    functionName: 'request',
    args: [
      confidential.contractId,
      context,
      terms({ envelope, deadline: timestamp + day, ...bounds }),
      zero,
      bytesToHex(input),
    ],
    value: fee,
  });
  appended(stage, confidential, receipt, keccak256(input));
  return Number(receipt.gasUsed);
}

/** Runs a scenario once every slot of the first contract's ring was used before. */
async function steady(stage, scenario) {
  const [confidential] = stage.confidential;
  while (confidential.length < ring + 1) {
    await request(stage, 32, false);
    if (confidential.pending.length === 16) await fulfillPending(stage, [confidential]);
  }
  await fulfillPending(stage, [confidential]);
  return scenario();
}

/** Gas per request of `count` in one transaction. */
async function requestMany(stage, count) {
  const { chain, user, oracle, random } = stage;
  const [confidential] = stage.confidential;
  await fulfillPending(stage, [confidential]);
  const { timestamp } = await chain.client.getBlock();
  const inputs = Array.from({ length: count }, () => random(32));
  const context = `0x${user.address.slice(2)}${'1'.padStart(24, '0')}`;
  const calls = inputs.map((input) => ({ context, terms: terms({ deadline: timestamp + day }), input: bytesToHex(input) }));
  const receipt = await chain.send(user, {
    ...oracle,
    functionName: 'requestMany',
    args: [confidential.contractId, zero, calls],
    value: fee * BigInt(count),
  });
  appended(stage, confidential, receipt, ...inputs.map((input) => keccak256(input)));
  return Math.ceil(Number(receipt.gasUsed) / count);
}

/** A request through the contract's consumer, which wants a callback. */
async function ask(stage, confidential) {
  const { chain, user, random } = stage;
  const { timestamp } = await chain.client.getBlock();
  const input = random(32);
  const what = {
    contractId: confidential.contractId,
    sealedInput: false,
    opensSession: false,
    callbackExpires: false,
    fuelLimit: 1_000_000n,
    callbackGasLimit: callbackGas,
    deadline: Number(timestamp + day),
    outputLimit: 32,
    boundsCharge: false,
    maximumChargeGwei: 0n,
    keyEpoch: 0,
    pinsCode: false,
    codeVersion: 0,
  };
  const receipt = await chain.send(user, {
    ...confidential.consumer,
    functionName: 'inquire',
    args: [what, bytesToHex(input)],
    value: fee,
  });
  const { payment } = appended(stage, confidential, receipt, keccak256(input));
  const seq = payment & 0xffffffffffffn;
  await chain.send(user, { ...confidential.consumer, functionName: 'prepare', args: [seq] });
}

/** A transfer that the token's holder asks for; gives its gas. */
async function transfer(stage, confidential) {
  const { chain, user, random } = stage;
  const input = random(transferEnvelopeLength);
  const receipt = await chain.send(user, {
    ...confidential.consumer,
    functionName: 'confidentialTransfer',
    args: [bytesToHex(input), keyEpoch],
    value: fee,
  });
  appended(stage, confidential, receipt, keccak256(input));
  return Number(receipt.gasUsed);
}

/** Gas per transfer of asking for `count`, each in a transaction of its own, and of fulfilling them in one, once the ring
 * was used before. */
async function transfers(stage, count) {
  const { token } = stage;
  while (token.length < ring + 1) {
    await transfer(stage, token);
    if (token.pending.length === 16) await fulfillPending(stage, [token]);
  }
  await fulfillPending(stage, [token]);
  let gas = 0;
  for (let i = 0; i < count; i++) gas += await transfer(stage, token);
  stage.asked = stage.chain.last();
  gas += await fulfillPending(stage, [token]);
  return Math.ceil(gas / count);
}

/** Gas per item of fulfilling `each` requests of every contract given, all in one batch. */
async function fulfill(stage, contracts, each) {
  for (const confidential of contracts) await fulfillPending(stage, [confidential]);
  for (const confidential of contracts) {
    for (let i = 0; i < each; i++) await ask(stage, confidential);
  }
  const gas = await fulfillPending(stage, contracts);
  return Math.ceil(gas / (contracts.length * each));
}

/** Fulfills all that is pending, checks every effect, and gives the transaction's gas. */
async function fulfillPending(stage, contracts) {
  const { chain, relayer, oracle } = stage;
  const todo = contracts.filter(({ pending }) => pending.length > 0);
  if (todo.length === 0) return 0;

  const { groups, resultHashes, outputs, fees } = results(stage, todo);
  const { chainId, signerKey } = stage;
  const common = { chainId, oracle: oracle.address, resultHashes };
  const signatures = [await signResults({ ...common, privateKey: signerKey, payee: zero })];
  if (todo.some(({ signers }) => signers > 1)) signatures.push(await signResults({ ...common, privateKey: stage.cosignerKey }));
  const balance = () => chain.client.readContract({ ...oracle, functionName: 'balanceOf', args: [relayer.address] });
  const before = await balance();
  const packed = batch({ keyGroup, keyEpoch, signatures, groups });
  const receipt = await chain.send(relayer, { ...oracle, functionName: 'fulfill', args: [packed] });

  const events = parseEventLogs({ abi: oracle.abi, logs: receipt.logs });
  const count = resultHashes.length;
  assert(events.length === count && events.every((e) => e.eventName === 'EntryFulfilled'), 'every item is applied');
  assert((await balance()) - before === fees, 'the relayer is paid every fee');
  for (const { consumer, account, seq, output } of outputs) {
    if (account) {
      const handle = await chain.client.readContract({ ...consumer, functionName: 'confidentialBalanceOf', args: [account] });
      assert(handle !== `0x${'0'.repeat(64)}`, 'every callback stored its handles');
      continue;
    }
    const stored = await chain.client.readContract({ ...consumer, functionName: 'results', args: [seq] });
    assert(stored === bytesToHex(output), 'every callback stored its output');
  }
  return Number(receipt.gasUsed);
}

/** Groups with random commitments and outputs for all that is pending, and what they earn, in wei. */
function results({ random, user, friend }, contracts) {
  const resultHashes = [];
  const outputs = [];
  let fees = 0n;
  const groups = contracts.map((confidential) => {
    const { contractId, consumer, commitment: head, executed, executedDigest } = confidential;
    const items = confidential.pending.map((pending) => {
      const commitment = hexToBigInt(bytesToHex(random(26)));
      const parties = confidential.transfers ? [user.address, friend.address] : [];
      const output = Buffer.concat([random(32), ...parties.map(hexBytes)]);
      const made = item({ ...pending, previousCommitment: confidential.commitment, commitment, output });
      resultHashes.push(made.resultHash);
      const { settlement, payment } = pending.event;
      if (settlement >> 96n === hexToBigInt(consumer.address)) {
        outputs.push({ consumer, account: parties[1], seq: payment & 0xffffffffffffn, output });
      }
      fees += ((payment >> 208n) + ((payment >> 160n) & 0xffffffffffffn)) * 1_000_000_000n;
      Object.assign(confidential, {
        commitment,
        executed: confidential.executed + 1n,
        executedDigest: pending.digest,
      });
      return made.packed;
    });
    confidential.pending = [];
    return group({ contractId, commitment: head, seq: executed, previousDigest: executedDigest, items });
  });
  return { groups, resultHashes, outputs, fees };
}

/** Notes the entries that a transaction appended. */
function appended({ chainId, oracle }, confidential, receipt, ...inputHashes) {
  const logs = parseEventLogs({ abi: oracle.abi, logs: receipt.logs, eventName: 'EntryAppended' });
  assert(logs.length === inputHashes.length, 'as many entries are appended');
  logs.forEach(({ args: event }, i) => {
    const entry = entryDigest({ chainId: BigInt(chainId), oracle: oracle.address, event, inputHash: inputHashes[i] });
    confidential.pending.push({ event, ...entry });
    confidential.length += 1;
  });
  return logs[0].args;
}

function structure(abi, functionName, argument) {
  return abi.find((entry) => entry.name === functionName).inputs[argument].components;
}

function assert(condition, what) {
  if (!condition) throw new Error(`does not hold: ${what}`);
}

function hexBytes(hex) {
  return Buffer.from(hex.slice(2), 'hex');
}

const word0 = `0x${'0'.repeat(64)}`;
