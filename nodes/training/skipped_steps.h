#pragma once
#include <string>
#include <vector>

#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Tells of the steps that the trainer left out because a loss or gradient was not a finite number,
/// with the utterances that were heard, and ends the run where they are more than
/// max_skipped_steps. Looks now and then, since looking waits for the device.
class SkippedSteps : public Attendant {
 public:
  void after_batch(Training& training, const Heard& heard) override;
  void after_step(Training& training) override;
  void after_epoch(Training& training) override;
  void before_save(Training& training) override { look(training); }
  void end(Training& training) override;
  std::string key() const override { return "skipped_steps"; }
  graph::Json state() const override;
  void restore(const graph::Json& state) override;

 private:
  using Ids = std::vector<std::string>;
  void look(Training& training);
  static Ids of_all(graph::Together& together, const std::vector<Ids>& own);
  void tell(Training& training, int64_t step, const model::SkippedUpdate& skipped,
            const std::vector<Ids>& round);
  void end_beyond_budget(Training& training) const;

  std::vector<Ids> round_;  ///< the rows of the round at hand, by the batch's place in it
  std::vector<std::vector<Ids>> rounds_;  ///< of the steps since the last look
  std::string last_;                      ///< what was said of the last one that was skipped
};

}  // namespace flowqat::nodes
