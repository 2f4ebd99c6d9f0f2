/// The commands of the program, one file each: it declares what the command is told, says how it is
/// used and does it. main.cpp lists them.
#pragma once
#include "cli/command.h"

namespace flowqat::cli {

/// The exit statuses of all commands; after a signal 128 and its number.
constexpr int kDone = 0;
/// What was asked for did not come to its end: a broken file, no audio that can be read, no answer
/// from a server.
constexpr int kFailed = 1;
/// The command line or the graph asks for what cannot be, or names what is not there; nothing was
/// begun.
constexpr int kBadUsage = 2;
/// Standard output or a file could not be written.
constexpr int kCannotWrite = 3;

Command convert_command();   ///< flowqat convert MODEL --out DIR
Command dot_command();       ///< flowqat dot GRAPH
Command evaluate_command();  ///< flowqat evaluate MODEL --manifest M
Command export_command();    ///< flowqat export MODEL --onnx F
Command fetch_command();    ///< flowqat fetch librispeech SPLIT... --to DIR, flowqat fetch model ID
Command inspect_command();  ///< flowqat inspect CORPUS
Command new_command();      ///< flowqat new [KIND]
Command nodes_command();    ///< flowqat nodes [TYPE]
Command profile_command();  ///< flowqat profile GRAPH
Command quantize_command();     ///< flowqat quantize MODEL --manifest M --out DIR
Command ranges_command();       ///< flowqat ranges MODEL --manifest M
Command run_command();          ///< flowqat run GRAPH
Command runs_command();         ///< flowqat runs [DIR]
Command sensitivity_command();  ///< flowqat sensitivity MODEL --manifest M
Command transcribe_command();   ///< flowqat transcribe MODEL AUDIO...
Command validate_command();     ///< flowqat validate GRAPH
Command vocabulary_command();   ///< flowqat vocabulary CORPUS --out DIR

/// The program itself: `flowqat --graph GRAPH`, and all commands as its parts.
Command program();
/// flowqat help [COMMAND...]
Command help_command();

}  // namespace flowqat::cli
