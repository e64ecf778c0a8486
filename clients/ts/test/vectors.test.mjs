// SPDX-License-Identifier: Apache-2.0
// The protocol's hashes, words and slots, written down once more from the comments in
// SubrosaTypes.sol, against fixtures/protocol/vectors.json, which the Rust types produce.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  concat,
  encodeAbiParameters,
  hashTypedData,
  keccak256,
  numberToHex,
  parseAbiParameters,
  recoverAddress,
  stringToHex,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const vectors = JSON.parse(
  readFileSync(new URL('../../../fixtures/protocol/vectors.json', import.meta.url), 'utf8'),
)
const CASES = 4

/** Runs `check` on each case of this kind, and notes that the kind is checked. */
const checked = new Set()
const each = (kind, check) => {
  checked.add(kind)
  test(kind, async () => {
    assert.equal(vectors[kind].length, CASES)
    for (const [index, vector] of vectors[kind].entries()) await check(vector, `${kind} ${index}`)
  })
}

const domain = (name) => keccak256(stringToHex(`subrosa.v1.${name}`))
const encode = (types, values) => encodeAbiParameters(parseAbiParameters(types), values)
/** H["name"](values): keccak256(abi.encode(domain, values…)). */
const hash = (name, types, values) => keccak256(encode(`bytes32, ${types}`, [domain(name), ...values]))
const sha256 = (hex) => `0x${createHash('sha256').update(Buffer.from(hex.slice(2), 'hex')).digest('hex')}`
const clearLow = (word, bits) => numberToHex((BigInt(word) >> bits) << bits, { size: 32 })

/** Packs [value, bits] pairs, high to low, into a word; each value must fit. */
const pack = (...fields) => {
  let word = 0n
  let width = 0n
  for (const [value, bits] of fields) {
    assert.ok(BigInt(value) < 1n << BigInt(bits))
    word = (word << BigInt(bits)) | BigInt(value)
    width += BigInt(bits)
  }
  assert.equal(width, 256n)
  return numberToHex(word, { size: 32 })
}

// Identifiers, commitments, digests.

each('contractId', (v, name) => {
  const id = hash('contract-id', 'uint256, address, address, uint256', [
    BigInt(v.chainId),
    v.oracle,
    v.deployer,
    BigInt(v.nonce),
  ])
  assert.equal(id, v.contractId, name)
})

each('codeCommitment', (v, name) => {
  const values = [v.salt, Number(v.engine), keccak256(v.code), keccak256(v.init)]
  assert.equal(hash('code', 'bytes32, uint8, bytes32, bytes32', values), v.commitment, name)
})

each('entry', (v, name) => {
  const e = v.entry
  const executionHash = keccak256(
    encode('bytes32, bytes32, uint256', [e.context, e.inputHash, BigInt(e.execution)]),
  )
  assert.equal(executionHash, v.executionHash, name)
  assert.equal(entryDigest(v.chainId, v.oracle, e, executionHash), v.digest, name)
})

function entryDigest(chainId, oracle, entry, executionHash) {
  const full = hash('entry', 'uint256, address, bytes32, uint48, bytes32, bytes32, uint256, uint256', [
    BigInt(chainId),
    oracle,
    entry.contractId,
    Number(entry.seq),
    entry.previousDigest,
    executionHash,
    BigInt(entry.settlement),
    BigInt(entry.payment),
  ])
  return clearLow(full, 8n)
}

each('outcome', (v, name) => assert.equal(outcomeHash(v), v.outcomeHash, name))

function outcomeHash(outcome) {
  return hash('outcome', 'uint8, bytes32, bytes32, uint8', [
    Number(outcome.status),
    outcome.outputHash,
    outcome.sealedOutputHash,
    Number(outcome.fuelBucket),
  ])
}

each('result', (v, name) => {
  const values = [v.digest, v.outcomeHash, v.previousCommitment, v.newCommitment]
  assert.equal(resultHash(...values), v.resultHash, name)
})

function resultHash(...values) {
  return hash('result', 'bytes32, bytes32, bytes32, bytes32', values)
}

each('epochRecord', ({ opening, record }, name) => {
  const values = [
    Number(opening.keyGroup),
    Number(opening.keyEpoch),
    opening.publicKeyHash,
    opening.configHash,
    opening.setHash,
    BigInt(opening.recovery),
  ]
  assert.equal(hash('epoch', 'uint32, uint32, bytes32, bytes32, bytes32, uint256', values), record, name)
})

each('epochKey', (v, name) => {
  assert.equal(v.xwing.length, 2 + 2 * 1216)
  assert.equal(hash('epoch-key', 'bytes32, bytes32', [keccak256(v.xwing), v.x25519]), v.publicKeyHash, name)
})

each('measurement', (v, name) => {
  const values = [v.rootId, Number(v.teeKind), v.measurementHash]
  assert.equal(hash('measurement', 'bytes32, uint8, bytes32', values), v.measurementId, name)
})

each('product', (v, name) => {
  assert.equal(hash('product', 'uint8, bytes32', [Number(v.teeKind), keccak256(v.name)]), v.product, name)
})

const MEMBERS = parseAbiParameters(['EpochMember[] members', 'struct EpochMember { bytes32 measurementId; bytes32 configHash; }'])

each('epochSet', (v, name) => {
  const members = v.measurementIds.map((measurementId, i) => ({ measurementId, configHash: v.configHashes[i] }))
  assert.equal(hash('epoch-set', 'bytes32', [keccak256(encodeAbiParameters(MEMBERS, [members]))]), v.setHash, name)
})

const CONFIG = parseAbiParameters([
  'EnclaveConfig config',
  'struct EnclaveConfig { uint16 version; uint256 chainId; address registry; bytes32 registryCodeHash; address oracle; bytes32 oracleCodeHash; uint8 headerTrust; bytes headerTrustParameters; bytes32[] evidenceRoots; bytes32 policyHash; uint32 keyGroup; uint256 recovery; }',
])

each('config', (v, name) => {
  assert.equal(encodeAbiParameters(CONFIG, [v.config]), v.encoded, name)
  const preimage = encodeAbiParameters([{ type: 'bytes32' }, ...CONFIG], [domain('config'), v.config])
  assert.equal(keccak256(preimage), v.configHash, name)
})

each('reportData', (v, name) => {
  const start = encode('bytes32, bytes32', [domain('start'), keccak256(v.checkpoint)])
  assert.equal(keccak256(start), v.startHash, name)
  const binding = encode('bytes32, uint16, address, bytes32, bytes32, bytes32', [
    domain('report-data'),
    Number(v.version),
    v.signer,
    v.transferKeyHash,
    v.configHash,
    v.startHash,
  ])
  const client = sha256(concat([domain('client-challenge'), v.challenge]))
  assert.equal(concat([sha256(binding), client]), v.reportData, name)
  const registration = sha256(concat([domain('registration-challenge'), v.blockHash, v.registrant]))
  assert.equal(concat([sha256(binding), registration]), v.registrationReportData, name)
})

// Packed words.

each('executionWord', (v, name) => {
  const word = pack(
    [v.kind, 8],
    [v.flags, 16],
    [v.fuelLimit, 64],
    [v.codeVersion, 16],
    [v.runtimeGeneration, 16],
    [v.finalityClass, 8],
    [v.blockNumber, 48],
    [v.blockTimestamp, 48],
    [0, 32],
  )
  assert.equal(word, v.word, name)
})

each('settlementWord', (v, name) => {
  const word = pack([v.requester, 160], [v.callbackGasLimit, 32], [v.flags, 16], [v.deadline, 48])
  assert.equal(word, v.word, name)
})

each('paymentWord', (v, name) => {
  const word = pack([v.fee, 96], [v.executionCharge, 96], [v.keyGroup, 32], [v.keyEpoch, 32])
  assert.equal(word, v.word, name)
})

each('resultWord', (v, name) => {
  const commitment = BigInt(v.newCommitment) >> 48n
  assert.equal(clearLow(v.newCommitment, 48n), v.newCommitment)
  const word = pack([commitment, 208], [v.status, 8], [v.fuelBucket, 8], [v.outputLength, 32])
  assert.equal(word, v.word, name)
})

each('headWord', (v, name) => {
  assert.equal(pack([BigInt(v.commitment) >> 48n, 208], [v.seq, 48]), v.word, name)
})

each('recoveryWord', (v, name) => {
  assert.equal(pack([v.kind, 8], [v.threshold, 8], [v.shares, 8], [0, 232]), v.word, name)
})

// Storage (ERC-7201).

each('slot', (v, name) => {
  const namespace = (id) => {
    const inner = BigInt(keccak256(stringToHex(id))) - 1n
    return BigInt(clearLow(keccak256(numberToHex(inner, { size: 32 })), 8n))
  }
  const field = (id, index) => numberToHex(namespace(id) + index, { size: 32 })
  const mapping = (key, slot) => keccak256(concat([numberToHex(BigInt(key), { size: 32 }), slot]))
  const oracle = 'subrosa.storage.Oracle'
  assert.equal(mapping(v.seq, mapping(v.contractId, field(oracle, 0n))), v.entry, name)
  assert.equal(mapping(v.contractId, field(oracle, 1n)), v.head, name)
  assert.equal(mapping(v.contractId, field(oracle, 2n)), v.log, name)
  const epochs = field('subrosa.storage.Registry', 0n)
  assert.equal(mapping(v.keyEpoch, mapping(v.keyGroup, epochs)), v.epoch, name)
})

// EIP-712 messages.

const fields = (list) =>
  list.split(', ').map((field) => {
    const [type, name] = field.split(' ')
    return { type, name }
  })
const types = {
  SignedResults: fields(
    'bytes32[] resultHashes, uint64 anchorNumber, bytes32 anchorHash, bytes32 configHash, bytes32 measurementId, uint32 keyGroup, uint32 keyEpoch',
  ),
  SignerAdmission: fields(
    'address signer, bytes32 transferKeyHash, bytes32 measurementId, bytes32 configHash, bytes32 startHash, bytes32 rootId, uint8 teeKind, bytes32 product, bytes32 machineId, uint8 tcbStatus, uint32 tcbEvaluation, bytes32 policyHash, bytes32 evidenceHash, uint64 challengeBlock, bytes32 challengeBlockHash, address registrant, uint64 notAfter',
  ),
  EpochOpening: fields(
    'uint32 keyGroup, uint32 keyEpoch, bytes32 publicKeyHash, bytes32 configHash, bytes32 setHash, uint256 recovery',
  ),
  EpochAcknowledgement: fields('uint32 keyGroup, uint32 keyEpoch, bytes32 record, bool holdsPrevious'),
  Query: fields('bytes32 contractId, bytes32 inputHash, bytes32 replyKeyHash, bytes32 nonce, uint64 expiry'),
  QueryReply: fields(
    'bytes32 queryHash, bytes32 contractId, uint48 seq, bytes32 commitment, uint64 blockNumber, bytes32 nonce, bytes32 replyHash, bytes32 configHash',
  ),
  AttestationStatement: fields(
    'bytes32 challengeHash, uint32 keyGroup, uint32 keyEpoch, bytes32 publicKeyHash, uint256 recovery, bytes32 configHash, bytes32 startHash, uint64 headerNumber, bytes32 headerHash, uint64 headerTime',
  ),
  AttestationAnswer: fields('bytes32 challengeHash, bytes32 evidenceHash, bytes32 statementHash, address payee'),
  ContractStatement: fields(
    'bytes32 contractId, bytes32 codeCommitment, uint48 seq, bytes32 commitment, bytes32 configHash, bytes32 nonce',
  ),
}

const typedData = (domainName, primaryType, vector, message = vector.message) => ({
  domain: {
    name: domainName,
    version: '1',
    chainId: BigInt(vector.chainId),
    verifyingContract: vector.verifyingContract,
  },
  types: { [primaryType]: types[primaryType] },
  primaryType,
  message,
})

for (const [kind, domainName, primaryType] of [
  ['signedResults', 'Subrosa', 'SignedResults'],
  ['signerAdmission', 'Subrosa Registry', 'SignerAdmission'],
  ['epochAcknowledgement', 'Subrosa Registry', 'EpochAcknowledgement'],
  ['epochOpening', 'Subrosa Registry', 'EpochOpening'],
  ['query', 'Subrosa', 'Query'],
  ['queryReply', 'Subrosa', 'QueryReply'],
  ['contractStatement', 'Subrosa', 'ContractStatement'],
  ['attestationStatement', 'Subrosa', 'AttestationStatement'],
  ['attestationAnswer', 'Subrosa', 'AttestationAnswer'],
]) {
  each(kind, async (v, name) => {
    assert.deepEqual(
      Object.keys(v.message).sort(),
      types[primaryType].map((field) => field.name).sort(),
    )
    const data = typedData(domainName, primaryType, v)
    assert.equal(hashTypedData(data), v.hash, name)
    // What a wallet signs is this hash.
    const account = privateKeyToAccount(keccak256(stringToHex(name)))
    const signature = await account.signTypedData(data)
    assert.equal(await recoverAddress({ hash: v.hash, signature }), account.address)
  })
}

each('fulfillment', (v, name) => {
  const { group } = v
  let commitment = clearLow(group.start, 48n)
  let seq = BigInt(group.start) & ((1n << 48n) - 1n)
  let previousDigest = group.previousDigest
  const resultHashes = group.items.map((item) => {
    const result = BigInt(item.result)
    const split = 2 + 2 * Number(result & 0xffffffffn)
    const entry = { ...item, contractId: group.contractId, seq, previousDigest }
    previousDigest = entryDigest(v.chainId, v.verifyingContract, entry, item.executionHash)
    const outcome = outcomeHash({
      status: (result >> 40n) & 0xffn,
      outputHash: keccak256(item.data.slice(0, split)),
      sealedOutputHash: keccak256(`0x${item.data.slice(split)}`),
      fuelBucket: (result >> 32n) & 0xffn,
    })
    const previous = commitment
    commitment = clearLow(item.result, 48n)
    seq += 1n
    return resultHash(previousDigest, outcome, previous, commitment)
  })
  assert.deepEqual(resultHashes, v.message.resultHashes, name)
  const message = { ...v.message, resultHashes }
  assert.equal(hashTypedData(typedData('Subrosa', 'SignedResults', v, message)), v.hash, name)
})

test('every kind of vector is checked', () => {
  assert.deepEqual([...checked].sort(), Object.keys(vectors).sort())
})
