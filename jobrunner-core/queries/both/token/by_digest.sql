where digest = $1
