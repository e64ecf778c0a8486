// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {LedgerModel} from "./LedgerModel.sol";

/// @notice Runtime generations come, contracts move along them, and some turn out to be broken. Each
/// outcome is predicted from books of the generations' own.
abstract contract RuntimeModel is LedgerModel {
    struct Runtime {
        bool added;
        bool withdrawn;
        uint16 successor;
    }

    /// Few enough that one meets another.
    uint16 private constant SPREAD = 4;

    mapping(uint256 generation => Runtime) private runtimes;
    uint16 private newest = 1;

    /// A generation was added twice, or withdrawn where its contracts have no place to go to.
    bool public runtimesBroken;
    /// A contract was moved that must not be, or could not be moved although it may.
    bool public wronglyMoved;
    /// How often each came up.
    uint256 public moves;
    uint256 public rescues;
    uint256 public strandings;

    function _setUpRuntimes() internal {
        runtimes[1].added = true;
    }

    /// @notice Curators add a generation, near the newest; guardians withdraw one, with any successor.
    function governRuntimes(uint256 seed) external {
        if (newest > type(uint16).max - 2 * SPREAD) return;
        if (seed % 2 == 0) _add(_near(seed >> 1));
        else _withdraw(_near(seed >> 1), _near(seed >> 17));
    }

    /// @notice The owner, or somebody else, moves a contract.
    function changeRuntime(uint256 seed) external {
        bytes32 id = ids[seed % 3];
        uint16 previous = _generationOf(id);
        bool byOwner = (seed >> 8) % 2 == 0;
        uint16 takesOver = _takesOver(previous);
        uint16 generation = takesOver != 0 && (seed >> 16) % 2 == 0 ? takesOver : _near(seed >> 24);
        bool allowed = generation > previous && _counts(generation) && (byOwner || generation == takesOver);

        vm.recordLogs();
        hoax(byOwner ? owner : relayer, type(uint96).max);
        try oracle.changeRuntime{value: FEE}(id, generation) {
            if (!allowed) wronglyMoved = true;
            ++moves;
            if (!byOwner) ++rescues;
            Entry memory entry = _appended();
            _note(entry);
            _book(entry);
        } catch {
            if (allowed) wronglyMoved = true;
        }
        vm.deal(relayer, 0);
        vm.deal(owner, type(uint128).max);
        if (_generationOf(id) != (allowed ? generation : previous)) wronglyMoved = true;
        _inspectRuntimes();
    }

    /// @dev No contract is anywhere from where it cannot be brought to a generation that counts.
    function _inspectRuntimes() private {
        for (uint256 i = 0; i < 3; ++i) {
            uint16 generation = _generationOf(ids[i]);
            uint16 takesOver = _takesOver(generation);
            if (registry.runtimeSuccessor(generation) != takesOver) runtimesBroken = true;
            if (!_counts(takesOver == 0 ? generation : takesOver)) runtimesBroken = true;
        }
    }

    function _add(uint16 generation) private {
        Runtime storage runtime = runtimes[generation];
        bool allowed = !runtime.added;
        try registry.addRuntime(generation) {
            if (!allowed) runtimesBroken = true;
            runtime.added = true;
            if (generation > newest) newest = generation;
        } catch {
            if (allowed) runtimesBroken = true;
        }
        _compare(generation);
    }

    function _withdraw(uint16 generation, uint16 successor) private {
        bool allowed = _counts(generation) && _counts(successor) && successor > generation;
        try registry.withdrawRuntime(generation, successor) {
            if (!allowed) runtimesBroken = true;
            (runtimes[generation].withdrawn, runtimes[generation].successor) = (true, successor);
        } catch {
            if (allowed) runtimesBroken = true;
            ++strandings;
        }
        _compare(generation);
    }

    function _compare(uint16 generation) private {
        (uint40 activeFrom, bool withdrawn, uint16 successor) = registry.runtimeOf(generation);
        Runtime memory runtime = runtimes[generation];
        bool same = (activeFrom != 0) == runtime.added && withdrawn == runtime.withdrawn;
        if (!same || successor != runtime.successor) runtimesBroken = true;
        bool counts;
        try registry.checkRuntime(generation) {
            counts = true;
        } catch {}
        if (counts != _counts(generation)) runtimesBroken = true;
        _inspectRuntimes();
    }

    /// @dev Where contracts of a generation that was withdrawn belong, through all that were since.
    function _takesOver(uint16 generation) private view returns (uint16) {
        if (!runtimes[generation].withdrawn) return 0;
        while (runtimes[generation].withdrawn) {
            generation = runtimes[generation].successor;
        }
        return generation;
    }

    /// @dev What is added here counts at once.
    function _counts(uint16 generation) private view returns (bool) {
        return runtimes[generation].added && !runtimes[generation].withdrawn;
    }

    /// @dev One of the newest, of those missed among them, or of the next.
    function _near(uint256 seed) private view returns (uint16) {
        uint16 lowest = newest > SPREAD ? newest - SPREAD : 0;
        return lowest + uint16(seed % (SPREAD + 3));
    }

    function _generationOf(bytes32 id) private view returns (uint16) {
        return uint16(oracle.logOf(id) >> 128);
    }
}
