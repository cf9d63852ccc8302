#!/usr/bin/env bash
# Tries the profile against a real Slurm on this machine: daemons of its own in a folder of their own, one node, one
# partition named as in the profile, a GPU in name only. Trains one short run of the sample through sbatch, and draws
# the map of one tile with its network.
#
#   apt install slurm-wlm munge && pip install snakemake-executor-plugin-slurm
#   profiles/slurm/try_on_one_node.sh [EXPERIMENT] [EPOCHS]
#
# Needs root, for munged and slurmd. Ends what it started; records go to a folder of its own and are shown.
set -euo pipefail
cd "$(dirname "$0")/../.."
experiment=${1:-s1_6c} epochs=${2:-1}
for program in munged mungekey slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || { echo "$program is not installed: apt install slurm-wlm munge" >&2; exit 77; }
done
python -c "import snakemake_executor_plugin_slurm" 2>/dev/null ||
  { echo "snakemake-executor-plugin-slurm is not installed: pip install it" >&2; exit 77; }
[ ! -e /etc/slurm/slurm.conf ] || { echo "this machine has a Slurm of its own: use the profile with it" >&2; exit 77; }
[ "$(id -u)" = 0 ] || { echo "needs root, for munged and slurmd" >&2; exit 77; }

folder=$(mktemp -d) host=$(hostname -s) started=()
trap 'for id in "${started[@]}"; do kill "$id" 2>/dev/null || true; done; wait; find /etc/slurm -lname "$folder/*" -delete; rm -rf "$folder"' EXIT
mkdir -p /etc/slurm
chmod 755 "$folder"
mkdir -p "$folder"/{state,spool,results} && mkdir -m 711 "$folder/munge"

mungekey --create --keyfile="$folder/munge/key"
munged --foreground --force --socket="$folder/munge/socket" --key-file="$folder/munge/key" \
  --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" &
started+=($!)

cat >"$folder/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
MinJobAge=3600
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=gpu Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
echo "NodeName=$host Name=gpu File=/dev/null" >"$folder/gres.conf"
echo "CgroupPlugin=cgroup/v1" >"$folder/cgroup.conf"
ln -s "$folder"/*.conf /etc/slurm/  # jobs look there
sleep 1
slurmctld -D 2>>"$folder/slurmctld.log" & started+=($!)
# More cores and memory than the machine may have: what is tried is the profile, not the machine.
slurmd -D 2>>"$folder/slurmd.log" & started+=($!)
for _ in $(seq 30); do [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && break; sleep 1; done
sinfo
[ "$(sinfo -h -o %T)" = idle ] || { cat "$folder"/*.log >&2; exit 1; }

export MULTISENGE_RESULTS=$folder/results
mkdir "$folder/work" && ln -s "$PWD"/{multisenge_lib,notebooks} "$folder/work"  # what runs leave goes there
through_slurm() {
  snakemake --profile profiles/slurm --directory "$folder/work" --slurm-status-command squeue "$@" \
    --config exp="$experiment" epochs="$epochs"
}
map=runs/sample/maps/$experiment/31UEQ.tif
through_slurm
through_slurm "$map"
python - "$folder" "$experiment" "$map" <<'SHOW'
import sys
from pathlib import Path
import rasterio
from multisenge_lib import results
folder, experiment, drawn = sys.argv[1:]
record = results.read_record("sample", experiment)
with rasterio.open(Path(folder, "work", drawn)) as source:
    classes = len(set(source.read(1).ravel().tolist()) - {0})
print("record:", record.metadata.experiment, len(record.history), "epoch,", record.metadata.device)
print("map:", source.name.rpartition("/")[2], *source.shape, classes, "classes")
SHOW
