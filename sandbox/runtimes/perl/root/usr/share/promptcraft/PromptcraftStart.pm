# Loaded before each program. Each write reaches the pipe, so that output before a kill is kept.
package PromptcraftStart;
$| = 1;
1;
