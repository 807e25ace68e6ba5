"""Many threads on small stacks."""

import threading

threading.stack_size(32 * 1024)


def handler(event, context):
    found = []
    threads = [threading.Thread(target=found.append, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [sorted(found), threading.stack_size()]
