// Starts `crossdock lsp` for the definitions of a workspace. Everything else is
// said by the server.
"use strict";

const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

const kinds = ["environment", "connection", "schema", "lookup", "mapping", "pipeline", "test", "template", "instance"];

/** The files that the server is asked about. */
function documentSelector() {
  const patterns = ["**/crossdock.yaml", ...kinds.map((kind) => `**/*.${kind}.yaml`)];
  return patterns.map((pattern) => ({ scheme: "file", pattern }));
}

let client;

async function start() {
  const settings = vscode.workspace.getConfiguration("crossdock");
  const server = { command: settings.get("path"), args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("crossdock", "crossdock", server, {
    documentSelector: documentSelector(),
    initializationOptions: { environment: settings.get("environment") },
  });
  try {
    await client.start();
  } catch (failed) {
    vscode.window.showErrorMessage(`crossdock could not be started (${failed.message}). The setting crossdock.path says where it is.`);
  }
}

async function stop() {
  if (client !== undefined && client.needsStop()) {
    await client.stop();
  }
}

exports.activate = async (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand("crossdock.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("crossdock")) {
        await stop();
        await start();
      }
    }),
  );
  await start();
};

exports.deactivate = stop;
