"""Loads a table by the Python IDL and prints the seconds, the rows, and the process's greatest size in MiB."""
import resource
import sys
import time

import ovs.db.idl
import ovs.json
import ovs.poller

remote, schema_file, table = sys.argv[1:]
helper = ovs.db.idl.SchemaHelper(schema_file)
helper.register_table(table)
started = time.monotonic()
idl = ovs.db.idl.Idl(remote, helper)
while not idl.tables[table].rows:
    idl.run()
    if idl.tables[table].rows:
        break
    poller = ovs.poller.Poller()
    idl.wait(poller)
    poller.block()
seconds = time.monotonic() - started
rows = len(idl.tables[table].rows)
print(seconds, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, ovs.json.PARSER)
