import assert from "node:assert/strict";
import { PeersFile, PeerTable } from "../../../src/mx/driver/peer_table.ts";

const boards = Array.from({ length: 6 }, (_, i) => ({ hostname: `n${i}`, macHigh: 2, macLow: 100 + i }));

Deno.test("a table that has a file answers as one to which its lines were added one by one", () => {
  const file = new PeersFile(boards);
  for (const own of boards) {
    const byFile = new PeerTable();
    const byLine = new PeerTable();
    for (const table of [byFile, byLine]) table.add(own.hostname, own.macHigh, own.macLow, true);
    byFile.addFile(file);
    for (const other of boards) if (other !== own) byLine.tryAdd(other.hostname, other.macHigh, other.macLow);
    assert.equal(byFile.size, byLine.size);
    for (const { hostname, macHigh, macLow } of boards) {
      assert.equal(byFile.byName(hostname)!.index, byLine.byName(hostname)!.index);
      assert.equal(byFile.byAddress(macHigh, macLow), byFile.byName(hostname));
    }
    assert.equal(byFile.at(6), undefined);
    assert.equal(byFile.byName("n9"), undefined);
    byFile.at(3)!.reverse = 7;
    assert.equal(byFile.at(3)!.reverse, 7);
    byFile.rename(byFile.at(2)!, "other");
    byLine.rename(byLine.at(2)!, "other");
    assert.deepEqual(byFile.peers.map(({ name }) => name), byLine.peers.map(({ name }) => name));
    const old = boards.filter((board) => board !== own)[1].hostname;
    assert.equal(byFile.byName(old), undefined);
    assert.equal(byFile.byName("other"), byFile.at(2));
    assert.equal(byFile.add("late", 2, 200, false).index, 6);
  }
});
