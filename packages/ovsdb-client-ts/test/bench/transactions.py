"""Commits transactions one after the other by the Python IDL and prints how many a second."""
import sys
import time

import ovs.db.idl
import ovs.poller

remote, schema_file, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
helper = ovs.db.idl.SchemaHelper(schema_file)
helper.register_columns("NB_Global", ["nb_cfg"])
idl = ovs.db.idl.Idl(remote, helper)
while not idl.tables["NB_Global"].rows:
    idl.run()
    poller = ovs.poller.Poller()
    idl.wait(poller)
    if not idl.tables["NB_Global"].rows:
        poller.block()
row = next(iter(idl.tables["NB_Global"].rows.values()))
started = time.monotonic()
for number in range(count):
    txn = ovs.db.idl.Transaction(idl)
    row.nb_cfg = number + 1
    status = txn.commit_block()
    assert status == ovs.db.idl.Transaction.SUCCESS, status
print(count / (time.monotonic() - started))
