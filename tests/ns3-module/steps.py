# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the steps of a long test: says what is being done and how long it took, and keeps what programs print in a log."""

import os
import re
import subprocess
import time


class Failed(Exception):
    """Something to tell the user, in words; details are what a program printed."""

    def __init__(self, words, details=''):
        super().__init__(words)
        self.details = details


class Report:
    """Tells what is being done and how long it took; all that programs print is in the log."""

    def __init__(self, log):
        self.log_path = log
        self.log = log.open('w')
        self.steps = []

    def run(self, what, command, cwd, environment=None, counted=False):
        """Runs a command and returns what it printed. counted: it prints [n/m], shown as it goes."""
        print(f'{what} ...', flush=True)
        self.log.write(f'\n== {what}\n$ {" ".join(map(str, command))}\n')
        self.log.flush()
        begin = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], cwd=cwd, env={**os.environ, **(environment or {})}, text=True,
                                   errors='replace', stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed = []
        tenth = 0
        try:
            for line in process.stdout:
                printed.append(line)
                self.log.write(line)
                at = re.match(r'\[ *(\d+)/(\d+)\]', line)
                if counted and at and int(at[2]) >= 20 and int(at[1]) * 10 // int(at[2]) > tenth:
                    tenth = int(at[1]) * 10 // int(at[2])
                    print(f'  {at[1]} of {at[2]}, {time.monotonic() - begin:.0f} s', flush=True)
            process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        process.stdout.close()
        self.log.flush()
        if process.returncode:
            raise Failed(f'{what}: failed with status {process.returncode}; all of it is in {self.log_path}', tell(printed))
        self.steps.append((what, time.monotonic() - begin))
        return ''.join(printed)

    def tell_times(self):
        print()
        for what, seconds in self.steps:
            print(f'  {seconds:7.1f} s  {what}')


def tell(lines):
    """The errors in what a build printed, or its end."""
    errors = [line for line in lines if re.search(r'\berror\b|Error|FAILED|undefined reference', line)]
    return ''.join(errors[:12] if errors else lines[-25:])
