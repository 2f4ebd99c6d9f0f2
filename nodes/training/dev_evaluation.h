#pragma once
#include <map>
#include <optional>
#include <string>

#include "io/text/text_normalizer.h"
#include "nodes/training/dev_figures.h"
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Evaluates the model on a dev stream now and then, knows which step was the best so far (a
/// checkpoint of it is kept), and ends a training that gets no better. It neither draws from the
/// training's stream nor from its random numbers, and the model's observers see nothing of it: the
/// weights are those of a training without it. A signal stops it between two batches, and a resumed
/// run goes on there.
class DevEvaluation : public Attendant {
 public:
  /// `dev` outlives it.
  DevEvaluation(const graph::Batcher& dev, const io::TextRules& rules) : dev_(dev), rules_(rules) {}

  void begin(Training& training) override;
  void after_step(Training& training) override;
  void after_epoch(Training& training) override;
  void end(Training& training) override;
  std::string key() const override { return "evaluation"; }
  graph::Json state() const override;
  void restore(const graph::Json& state) override;
  std::vector<int64_t> needs() const override;

  /// The step behind which the model was best; none before the first evaluation that counts.
  std::optional<int64_t> best_step() const;

 private:
  struct Best {
    int64_t step = 0;
    graph::Json record;  ///< as it stands in metrics.jsonl
  };
  /// An evaluation under way.
  struct Pending {
    int64_t epoch = 0;                               ///< counted from 1
    std::string pass;                                ///< the model that is heard
    int64_t batch = 0;                               ///< the next
    std::map<std::string, DevFigures> figures = {};  ///< by model
  };

  void evaluate(Training& training);
  /// Goes on with what is pending, as far as signals let it.
  void go_on(Training& training);
  bool run_pass(Training& training);
  void conclude(Training& training);
  /// Whether the figures tell of what the training ends with.
  bool counts(const Training& training) const;
  std::string name_of_trained(const Training& training) const;

  const graph::Batcher& dev_;
  io::TextRules rules_;
  int64_t last_step_ = 0;          ///< that was evaluated
  int64_t since_best_ = 0;         ///< evaluations
  std::optional<double> dev_wer_;  ///< Training::dev_wer
  std::optional<Best> best_;
  std::optional<Pending> pending_;
};

}  // namespace flowqat::nodes
