import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { ImportOptions } from './ci/import-devices.js';
import type { McpOptions } from './ci/mcp-bridge.js';
import type { UploadCrashOptions } from './ci/upload-crash.js';
import type { UploadOptions } from './ci/upload-firmware.js';
import type { InitOptions } from './compose/init-command.js';
import type { ServeOptions } from './compose/serve.js';
import { listenForStop } from './compose/stop-signal.js';
import type { Config } from './config/settings.js';
import { messageOf } from './errors.js';
import { programVersion } from './platform/program-files.js';
import type { CoreOptions } from './sidecar/core-command.js';
import type { ParseOptions } from './sidecar/parse-command.js';

const TERMINAL = {
  say: (line: string) => void process.stdout.write(`${line}\n`),
  complain: (line: string) => void process.stderr.write(`coredock: ${line}\n`),
};

const TOKEN_HELP = `The first line is the token: keep it secret, and send it as "Authorization: Bearer …".
The second is its digest, for the settings of the server. Its setting decides what the token may do:
  ADMIN_TOKENS     read and change everything
  UPLOADER_TOKENS  upload firmware and nothing else, as CI does (COREDOCK_TOKEN=… coredock firmware upload …)
  VIEWER_TOKENS    read the fleet, as Prometheus and dashboards do
`;

/** The `coredock` command. Each subcommand loads only what it needs, so that `coredock parse` starts fast. */
const program = new Command('coredock')
  .description('Self-hosted crash-dump server for fleets of ESP32-family devices')
  .version(programVersion())
  .exitOverride();

program
  .command('init')
  .description('write .env with an address and a new admin token, which is printed once')
  .option('--host <address>', 'address to listen on; 0.0.0.0: every address of this machine', '127.0.0.1')
  .option('--port <port>', 'port to listen on', wholeNumberUpTo(65_535), 4000)
  .option(
    '--public-url <url>',
    'how people and devices reach the server, such as https://coredock.example.org',
  )
  .action(async (options: InitOptions) => {
    const { initCommand } = await import('./compose/init-command.js');
    await reportProblems(async () => initCommand(options, (text) => process.stdout.write(text)));
  });

program
  .command('start')
  .description('run everything: API server, bundled parse sidecar, embedded database and storage')
  .action(() => serve({ withSidecar: true }));

program
  .command('serve')
  .description('run the API server alone; without PARSE_SIDECAR_URL dumps are stored and stay PENDING')
  .action(() => serve({ withSidecar: false }));

program
  .command('sidecar')
  .description('run the parse sidecar alone')
  .option('--port <port>', 'port on 127.0.0.1', wholeNumberUpTo(65_535), 8081)
  .option('--xfer-dir <dir>', 'folder where the server puts dumps and ELFs', './data/xfer')
  .action(async ({ port, xferDir }: { port: number; xferDir: string }) => {
    const { runSidecar } = await import('./sidecar/command.js');
    await runSidecar({ port, xferDir });
  });

program
  .command('parse')
  .description('read one crash on the terminal: a core dump, a panic text, a log with either, or a summary')
  .argument('[file]', 'a dump as the device wrote it (raw, base64, ELF), a text or a log; -: standard input')
  .option('--core <file>', 'the same, as esp-coredump names it')
  .option('--elf <file>', 'the firmware ELF that the device ran')
  .option('--chip <chip>', 'only for what does not name its chip', 'auto')
  .option('--format <format>', 'text or json', 'text')
  .option('--print-mem', "add the dumped memory's contents to the text")
  .action(async (file: string | undefined, options: Partial<ParseOptions>, command: Command) => {
    if ((file === undefined) === (options.core === undefined))
      command.error('error: name one file: coredock parse FILE --elf ELF');
    const { parseCommand } = await import('./sidecar/parse-command.js');
    process.exitCode = await parseCommand(
      { ...options, core: file ?? options.core ?? '' },
      { stdout: process.stdout, stderr: process.stderr },
      process.env.ESP_ROM_ELF_DIR || null,
    );
  });

program
  .command('core')
  .description('write the ELF core that GDB opens')
  .requiredOption('--core <file>', 'the core dump in any of its formats')
  .option('--elf <file>', 'the firmware ELF, to be told whether it is the build that crashed')
  .requiredOption('--out <file>', 'the ELF core to write')
  .action(async (options: CoreOptions) => {
    const { coreCommand } = await import('./sidecar/core-command.js');
    process.exitCode = await coreCommand(options, { stdout: process.stdout, stderr: process.stderr });
  });

program
  .command('migrate')
  .description('apply database migrations and exit')
  .action(async () => {
    const { migrate } = await import('./compose/serve.js');
    await reportProblems(async () => migrate(await loadConfig()));
  });

program
  .command('healthcheck')
  .description('ask the server of these settings whether it is ready; exit code 0 or 1')
  .action(async () => {
    const { healthcheckCommand } = await import('./compose/healthcheck-command.js');
    await reportProblems(async () => {
      process.exitCode = await healthcheckCommand(await loadConfig(), TERMINAL);
    });
  });

program
  .command('backup')
  .description('copy the embedded database and its files into a new folder, while the server may be running')
  .argument('<folder>')
  .action((folder: string) => runBackup(({ backupCommand }) => backupCommand, folder));

program
  .command('export')
  .description(
    'write all rows and files into a folder, to move to another database or storage; stop the server first',
  )
  .argument('<folder>')
  .action((folder: string) => runBackup(({ exportCommand }) => exportCommand, folder));

program
  .command('import')
  .description('fill the empty database and storage of the settings from an export')
  .argument('<folder>')
  .action((folder: string) => runBackup(({ importCommand }) => importCommand, folder));

program
  .command('adopt')
  .description(
    'make the database and storage of the settings one installation, also when they were parts of different ones; stop the server first',
  )
  .action(() =>
    runBackup(
      ({ adoptCommand }) =>
        (config, _, terminal) =>
          adoptCommand(config, terminal),
      '',
    ),
  );

program
  .command('token')
  .description(
    'make a token for a person or program, and the digest for ADMIN_TOKENS, UPLOADER_TOKENS or VIEWER_TOKENS',
  )
  .action(async () => {
    const { randomToken, sha256 } = await import('./auth/static-tokens.js');
    const token = randomToken();
    process.stdout.write(`${token}\nsha256:${sha256(token)}\n`);
    // On standard error, for people: scripts read the two lines.
    process.stderr.write(TOKEN_HELP);
  });

program
  .command('firmware')
  .description('firmware builds of a running server')
  .command('upload')
  .description('upload a bundle (ZIP or ELF), as CI does; the same ELF twice changes nothing')
  .argument('<file>', 'ZIP with {model}.elf, or the bare ELF')
  .requiredOption('--model <code>', 'code of the device model')
  .requiredOption('--url <url>', "the server's address, such as https://coredock.example.org")
  .option(
    '--token <token>',
    'token of an uploader or admin; default: $COREDOCK_TOKEN, else the token of the CI job',
  )
  .option('--oidc', 'use the token that GitHub or GitLab gives to the job, and fail without one')
  .option('--audience <text>', 'what that token must name; default: the address of the server')
  .option('--firmware-version <version>', 'only when neither version.json nor the ELF has it')
  .option('--allow-version-mismatch', 'store it under that version although the ELF has another one')
  .option('--revision <commit>', 'Git commit of the sources')
  .addOption(new Option('--format <format>', 'text or json').choices(['text', 'json']).default('text'))
  .option(
    '--retries <n>',
    'how often to try again when the server cannot be reached',
    wholeNumberUpTo(1_000),
    5,
  )
  .action(async (file: string, options: UploadOptions) => {
    const { uploadFirmwareCommand } = await import('./ci/upload-firmware.js');
    const terminal = { stdout: process.stdout, stderr: process.stderr };
    process.exitCode = await uploadFirmwareCommand(file, options, terminal, process.env);
  });

program
  .command('upload')
  .description(
    'file a crash under a device of a running server: a core dump, a log, a panic text or a summary',
  )
  .argument('<file>', 'in any form that devices send; - is standard input')
  .option('--serial <serial>', 'what its maker printed on the device; one that is not known is registered')
  .option('--model <code>', 'code of the model of that serial')
  .option('--device <key>', 'key of the device, in place of serial and model')
  .option('--url <url>', "the server's address; default: $COREDOCK_URL, else http://127.0.0.1:4000")
  .option(
    '--token <token>',
    'token of an admin or of the device, or an ingest key of the model; default: $COREDOCK_TOKEN',
  )
  .option('--chip <chip>', 'only for a crash that does not name its chip')
  .option('--firmware-version <version>', 'the version that crashed, where neither crash nor device says it')
  .option('--no-wait', 'do not wait until it is read')
  .option(
    '--retries <n>',
    'how often to try again when the server cannot be reached',
    wholeNumberUpTo(1_000),
    5,
  )
  .action(async (file: string, options: UploadCrashOptions) => {
    const { uploadCrashCommand } = await import('./ci/upload-crash.js');
    const { stdin, stdout, stderr } = process;
    process.exitCode = await uploadCrashCommand(file, options, { stdin, stdout, stderr }, process.env);
  });

program
  .command('devices')
  .description('devices of a running server')
  .command('import')
  .description('register the devices of a CSV file (serial, key, name); what is there already is skipped')
  .argument('<file>', 'CSV with commas, semicolons or tabs, with or without a header line')
  .requiredOption('--model <code>', 'code of the device model')
  .requiredOption('--url <url>', "the server's address, such as https://coredock.example.org")
  .option('--token <token>', 'bearer token of an admin; default: $COREDOCK_TOKEN')
  .option(
    '--tokens <file>',
    'make a token for each device, and add them to this file; they are shown only once',
  )
  .option('--dry-run', 'check the file and the server, and register nothing')
  .option(
    '--retries <n>',
    'how often to try again when the server cannot be reached',
    wholeNumberUpTo(1_000),
    5,
  )
  .action(async (file: string, options: ImportOptions) => {
    const { importDevicesCommand } = await import('./ci/import-devices.js');
    const terminal = { stdout: process.stdout, stderr: process.stderr };
    process.exitCode = await importDevicesCommand(file, options, terminal, process.env);
  });

program
  .command('mcp')
  .description('tools of a running server for agents (Model Context Protocol over standard input and output)')
  .option('--url <url>', "the server's address", 'http://127.0.0.1:4000')
  .option('--token <token>', 'token of a viewer; default: $COREDOCK_TOKEN')
  .action(async (options: McpOptions) => {
    const { mcpCommand } = await import('./ci/mcp-bridge.js');
    const { stdin, stdout, stderr } = process;
    process.exitCode = await mcpCommand(options, { stdin, stdout, stderr }, process.env);
  });

// A closed pipe or a full disk behind stdout or stderr must not end a command.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // commander has printed the error; --help and --version end here too, with exit code 0.
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}

async function serve(options: ServeOptions): Promise<void> {
  // Registered before anything is loaded, so that a signal during the start is handled.
  const stop = listenForStop();
  const { runServer } = await import('./compose/serve.js');
  await reportProblems(async () => runServer(await loadConfig(), options, stop));
}

type BackupCommands = typeof import('./backup/commands.js');

async function runBackup(
  pick: (commands: BackupCommands) => BackupCommands['backupCommand'],
  folder: string,
): Promise<void> {
  const command = pick(await import('./backup/commands.js'));
  await reportProblems(async () => {
    process.exitCode = await command(await loadConfig(), folder, TERMINAL);
  });
}

async function loadConfig(): Promise<Config> {
  const [{ readConfig }, { readDotenv }] = await Promise.all([
    import('./config/settings.js'),
    import('./config/dotenv.js'),
  ]);
  readDotenv();
  return readConfig(process.env);
}

/** Prints a failure as one line per problem, without a stack trace. */
async function reportProblems(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const message = messageOf(error);
    for (const line of message.split('\n')) process.stderr.write(`coredock: ${line}\n`);
    process.exitCode = 1;
  }
}

/** @throws InvalidArgumentError, which commander shows beside the option's name */
function wholeNumberUpTo(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`);
    }
    return value;
  };
}
