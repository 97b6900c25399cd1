"""Runs a command on a terminal of its own, 24 by 100.

Each line on stdin is JSON: {"keys": "..."} is typed, {"size": [rows, columns]} is the terminal's size from then on.
What the command writes goes to stdout; ends with its exit code.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios

def resize(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
resize(24, 100)
orders = b''
inputs = [master, sys.stdin.fileno()]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if master in ready:
        try:
            data = os.read(master, 65536)
        except OSError:
            break  # the command has ended
        if not data:
            break
        os.write(1, data)
    elif inputs[1] in ready:
        data = os.read(inputs[1], 65536)
        if not data:
            os.kill(pid, signal.SIGKILL)
            break
        *lines, orders = (orders + data).split(b'\n')
        for line in lines:
            order = json.loads(line)
            if 'keys' in order:
                os.write(master, order['keys'].encode())
            if 'size' in order:
                resize(*order['size'])
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
