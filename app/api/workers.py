"""Serves by several processes: this one accepts connections and hands each to the worker that has the fewest.

Workers are forked from here, once what they import is imported and while there are no threads. One that dies is
replaced, and so is one that hangs.
"""

import contextlib
import gc
import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.api import listen, preflight, server, startup_summary, worker
from app.api.application import Shared
from app.api.middleware.shared_buckets import SharedBuckets
from app.api.worker_table import WorkerTable
from app.operations import logs, shared_metrics
from app.rendering.claims import Claims
from app.rendering.renderer import Renderer
from app.settings import Settings

logger = logging.getLogger(__name__)

_BACKLOG = 2048
_KILL_AFTER_S = server.GRACE_S + 3  # for what ends after the requests: engines, traces
_SOON_S = 1.0  # a worker that did not live as long is replaced only then
_MAX_MISSED = 2  # signs of life, before a worker is handed a connection only where the others take none
_START_FACTOR = 5
"""A worker that starts, and can give no sign of life yet, gets this many times as long: it loads models."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FAILED = 2


def serve(settings: Settings, sockets: list[socket.socket], run: Callable[..., int]) -> int:
    """Serve on bound sockets until a signal ends it; the status to exit with, or below 0 the signal to end by.

    Args:
        settings: of the whole service.
        sockets: bound, not listening yet.
        run: calls a function in a worker, and turns its errors into one line and a status.

    Raises:
        AddressError: another program listens on the address by now.
        StoreError, SetupError: as `create_app` does.
    """
    preflight.check(settings)
    renderer = Renderer.of(settings, settings.cache)
    preflight.check_renderers(settings, renderer)
    renderer.settle()
    server.prepare_process()
    return _Workers(settings, sockets, run).serve()


@dataclass
class _Worker:
    """One that runs, as the process that started it knows it."""

    number: int
    process: int
    control: socket.socket
    since_s: float
    is_ready: bool = False
    is_leaving: bool = False
    handed: int = 0
    """connections that it was given"""
    beats: int = 0
    """signs of life that it had given when it was last looked at"""
    missed: int = 0
    """looks in a row that found no new one"""


class _Workers:
    def __init__(self, settings: Settings, sockets: list[socket.socket], run: Callable[..., int]) -> None:
        self._settings, self._listeners, self._run = settings, sockets, run
        self._table = WorkerTable(settings.workers)
        parent = os.getpid()
        self._shared = Shared(SharedBuckets(), Claims(), lambda: [parent, *self._table.processes()])
        self._selector = selectors.PollSelector()  # no object of the kernel's, which a fork would share
        self._workers: dict[int, _Worker] = {}
        self._due: dict[int, float] = {}  # by number: when a worker is to be started
        self._waiting: socket.socket | None = None  # a connection that no worker has room for
        self._is_up = False
        self._stopping: int | None = None  # the signal, or 0 where it failed
        self._kill_at = float("inf")
        self._look_at = time.monotonic()
        self._status = 0

    def serve(self) -> int:
        with self._signals() as signalled:
            self._selector.register(signalled, selectors.EVENT_READ, partial(self._on_signal, signalled))
            self._start(0)  # alone at first, so that what keeps it from starting is said once
            while self._workers or (self._due and self._stopping is None):
                for key, _ in self._selector.select(self._patience_s()):
                    key.data()
                self._start_due()
                self._look_after()
                if time.monotonic() >= self._kill_at:
                    self._kill()
        return -signal.SIGTERM if self._stopping == signal.SIGTERM else self._status

    # ------------------------------------------------------------------------------------------------------- workers

    def _start(self, number: int) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._table.begin(number)
        gc.collect()
        gc.freeze()  # a collection in a worker would else write to the pages that it shares
        process = os.fork()
        if not process:
            self._become(number, ours, its)
        its.close()
        ours.setblocking(False)
        self._table.set_process(number, process)
        started = self._workers[number] = _Worker(number, process, ours, time.monotonic())
        self._selector.register(ours, selectors.EVENT_READ, partial(self._on_message, started))

    def _become(self, number: int, ours: socket.socket, its: socket.socket) -> None:
        """Go on as a worker; does not return."""
        signal.set_wakeup_fd(-1)
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        for inherited in (ours, *(each.control for each in self._workers.values()), *self._listeners):
            inherited.close()
        if self._waiting:
            self._waiting.close()
        status = _FAILED
        try:
            status = self._run(worker.serve, self._settings, self._shared, its, self._table, number)
        except Exception:
            logger.exception("a worker failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _start_due(self) -> None:
        for number, at_s in list(self._due.items()):
            if self._stopping is None and time.monotonic() >= at_s:
                del self._due[number]
                self._start(number)

    def _patience_s(self) -> float:
        """How long there is nothing to do unless somebody says something."""
        return max(0.0, min([*self._due.values(), self._kill_at, self._look_at]) - time.monotonic())

    def _look_after(self) -> None:
        """Look for signs of life, once for each that is due, and kill a worker that has hung.

        Looks are counted, and not the time, so that nobody is killed after all processes together were stopped.
        """
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + worker.BEAT_S
        if self._stopping is not None:
            return
        for each in self._workers.values():
            beats = self._table.beats(each.number)
            each.missed = each.missed + 1 if beats == each.beats else 0
            each.beats = beats
            patience_s = self._settings.worker_timeout_s * (1 if each.is_ready else _START_FACTOR)
            if each.missed * worker.BEAT_S > patience_s:
                logger.error("worker %d gives no sign of life for %.0f s", each.process, each.missed * worker.BEAT_S)
                os.kill(each.process, signal.SIGKILL)

    def _on_message(self, sender: _Worker) -> None:
        try:
            message = sender.control.recv(worker.MAX_MESSAGE)
        except BlockingIOError:
            return
        except ConnectionError:
            message = b""
        if not message:
            self._on_end(sender)
        elif message == worker.LEAVING:
            sender.is_leaving = True
            self._selector.modify(sender.control, selectors.EVENT_READ, partial(self._on_message, sender))
            self._tell_to_stop(sender)
        else:
            sender.is_ready, sender.missed = True, 0  # what it missed as it started counts no more
            self._on_ready(json.loads(message))

    def _on_ready(self, summary: dict[str, Any]) -> None:
        if self._stopping is not None:
            return
        if self._is_up:
            self._hand_over_waiting()
            return
        for number in range(1, self._settings.workers):
            if number not in self._workers:
                self._start(number)
        if len(self._workers) == self._settings.workers and all(each.is_ready for each in self._workers.values()):
            self._listen(summary)

    def _on_end(self, ended: _Worker) -> None:
        self._selector.unregister(ended.control)
        ended.control.close()
        _, status = os.waitpid(ended.process, 0)
        del self._workers[ended.number]
        self._table.set_process(ended.number, 0)
        shared_metrics.forget(ended.process)
        if self._stopping is not None:
            return
        code = os.waitstatus_to_exitcode(status)
        if not self._is_up:
            self._status = code if code > 0 else _FAILED
            self._stop(0)
            return
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        logger.log(logging.INFO if ended.is_leaving else logging.ERROR, "worker %d %s", ended.process, how)
        is_soon = time.monotonic() < ended.since_s + _SOON_S
        self._due[ended.number] = time.monotonic() + (_SOON_S if is_soon else 0)

    # --------------------------------------------------------------------------------------------------- connections

    def _listen(self, summary: dict[str, Any]) -> None:
        try:
            for listener in self._listeners:
                listener.listen(_BACKLOG)
                listener.setblocking(False)
        except OSError as error:  # several sockets may be bound to an address, but only one may listen
            self._stop(0)
            self._finish()
            raise listen.address_error(error, self._settings) from None
        self._is_up = True
        self._accept_again()
        summary["address"] = listen.url(self._settings, self._listeners)
        logger.info(startup_summary.line(summary), extra={logs.FIELDS: summary})

    def _accept(self, listener: socket.socket) -> None:
        if self._waiting:
            return
        try:
            connection, _ = listener.accept()
        except OSError:  # the client has gone, or there is no file left
            return
        if not self._hand_over(connection):
            self._wait_for_room(connection)

    def _wait_for_room(self, connection: socket.socket) -> None:
        """Accept nothing more until a worker takes this one."""
        self._waiting = connection
        for listener in self._listeners:
            self._selector.unregister(listener)
        for each in self._able():
            wanted = selectors.EVENT_READ | selectors.EVENT_WRITE
            self._selector.modify(each.control, wanted, partial(self._on_room, each))

    def _on_room(self, to: _Worker) -> None:
        self._hand_over_waiting()
        self._on_message(to)

    def _hand_over_waiting(self) -> None:
        if self._waiting and self._hand_over(self._waiting):
            self._waiting = None
            self._accept_again()

    def _accept_again(self) -> None:
        for listener in self._listeners:
            self._selector.register(listener, selectors.EVENT_READ, partial(self._accept, listener))
        for each in self._workers.values():
            self._selector.modify(each.control, selectors.EVENT_READ, partial(self._on_message, each))

    def _able(self) -> list[_Worker]:
        """The workers that take connections."""
        return [each for each in self._workers.values() if each.is_ready and not each.is_leaving]

    def _hand_over(self, connection: socket.socket) -> bool:
        """Give a connection to the worker that has the fewest, of those that are alive; False where none has room."""
        for each in sorted(self._able(), key=self._load):
            try:
                socket.send_fds(each.control, [worker.CONNECTION], [connection.fileno()])
            except OSError:  # it has too many to take in already, or is dead
                continue
            each.handed += 1
            connection.close()
            return True
        return False

    def _load(self, each: _Worker) -> tuple[bool, int, int]:
        """The lower, the sooner it is handed a connection."""
        return each.missed > _MAX_MISSED, each.handed - self._table.closed(each.number), each.handed

    # ----------------------------------------------------------------------------------------------------------- end

    @contextlib.contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """Within, each of our signals is a byte to be read."""
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        before = {each: signal.signal(each, lambda *_: None) for each in _SIGNALS}
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(-1)
            for each, handler in before.items():
                signal.signal(each, handler)
            reader.close()
            writer.close()

    def _on_signal(self, signalled: socket.socket) -> None:
        for number in signalled.recv(64):
            if number == signal.SIGHUP:
                self._send(signal.SIGHUP)
            elif self._stopping is None:
                self._stop(number)
            elif number == signal.SIGINT:  # once more
                self._kill()

    def _stop(self, number: int) -> None:
        """Take the clients that are connected as far as they know, then nothing new, and tell the workers to end."""
        self._stopping, self._kill_at = number, time.monotonic() + _KILL_AFTER_S
        for each in self._workers.values():
            each.control.settimeout(1.0)
        if self._is_up:
            self._drain()
        for listener in self._listeners:
            listener.close()
        for each in self._workers.values():
            self._tell_to_stop(each)
            each.control.setblocking(False)

    def _drain(self) -> None:
        for listener in self._listeners:
            listen.drop_new_clients(listener)
        if self._waiting:
            self._hand_over(self._waiting)
        else:
            for listener in self._listeners:
                self._selector.unregister(listener)
        until_s = time.monotonic() + server.ACCEPT_DELAY_S
        with selectors.PollSelector() as arriving:
            for listener in self._listeners:
                arriving.register(listener, selectors.EVENT_READ)
            while (left_s := until_s - time.monotonic()) > 0:
                for key, _ in arriving.select(left_s):
                    with contextlib.suppress(OSError):
                        connection, _ = key.fileobj.accept()  # type: ignore[union-attr]
                        self._hand_over(connection)

    def _tell_to_stop(self, each: _Worker) -> None:
        try:
            each.control.send(worker.STOP)
        except OSError:  # it takes nothing in; the end of what it can read says the same
            with contextlib.suppress(OSError):
                each.control.shutdown(socket.SHUT_WR)

    def _kill(self) -> None:
        self._kill_at = float("inf")
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        for each in self._workers.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(each.process, number)

    def _finish(self) -> None:
        """Wait until all have ended."""
        while self._workers:
            for key, _ in self._selector.select():
                key.data()
