/* docker 20.10 and kubectl 1.20 as Debian has them, on a host where neither a daemon nor a cluster
 * answers. See containers.h. */
#include "decoy/machine/commands/containers.h"

#include "decoy/machine/command.h"
#include "decoy/machine/commands/packages.h"

#define NO_DAEMON                                                                     \
	"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the " \
	"docker daemon running?"

/* --- docker --- */

enum operands { LEAST, EXACTLY };

static const struct docker_command {
	const char *name, *meaning; /* in the list of all */
	const char *synopsis;
	enum operands operands;
	int count;
} docker_commands[] = {
	{"attach", "Attach local standard input, output, and error streams to a running container",
	 "[OPTIONS] CONTAINER", EXACTLY, 1},
	{"build", "Build an image from a Dockerfile", "[OPTIONS] PATH | URL | -", EXACTLY, 1},
	{"commit", "Create a new image from a container's changes",
	 "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]", LEAST, 1},
	{"cp", "Copy files/folders between a container and the local filesystem",
	 "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- "
	 "CONTAINER:DEST_PATH",
	 EXACTLY, 2},
	{"create", "Create a new container", "[OPTIONS] IMAGE [COMMAND] [ARG...]", LEAST, 1},
	{"diff", "Inspect changes to files or directories on a container's filesystem", "CONTAINER",
	 EXACTLY, 1},
	{"events", "Get real time events from the server", "[OPTIONS]", LEAST, 0},
	{"exec", "Run a command in a running container", "[OPTIONS] CONTAINER COMMAND [ARG...]",
	 LEAST, 2},
	{"export", "Export a container's filesystem as a tar archive", "[OPTIONS] CONTAINER",
	 EXACTLY, 1},
	{"history", "Show the history of an image", "[OPTIONS] IMAGE", EXACTLY, 1},
	{"images", "List images", "[OPTIONS] [REPOSITORY[:TAG]]", LEAST, 0},
	{"import", "Import the contents from a tarball to create a filesystem image",
	 "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]", LEAST, 1},
	{"info", "Display system-wide information", "[OPTIONS]", LEAST, 0},
	{"inspect", "Return low-level information on Docker objects",
	 "[OPTIONS] NAME|ID [NAME|ID...]", LEAST, 1},
	{"kill", "Kill one or more running containers", "[OPTIONS] CONTAINER [CONTAINER...]", LEAST,
	 1},
	{"load", "Load an image from a tar archive or STDIN", "[OPTIONS]", LEAST, 0},
	{"login", "Log in to a Docker registry", "[OPTIONS] [SERVER]", LEAST, 0},
	{"logout", "Log out from a Docker registry", "[SERVER]", LEAST, 0},
	{"logs", "Fetch the logs of a container", "[OPTIONS] CONTAINER", EXACTLY, 1},
	{"pause", "Pause all processes within one or more containers", "CONTAINER [CONTAINER...]",
	 LEAST, 1},
	{"port", "List port mappings or a specific mapping for the container",
	 "CONTAINER [PRIVATE_PORT[/PROTO]]", LEAST, 1},
	{"ps", "List containers", "[OPTIONS]", LEAST, 0},
	{"pull", "Pull an image or a repository from a registry", "[OPTIONS] NAME[:TAG|@DIGEST]",
	 EXACTLY, 1},
	{"push", "Push an image or a repository to a registry", "[OPTIONS] NAME[:TAG]", EXACTLY, 1},
	{"rename", "Rename a container", "CONTAINER NEW_NAME", EXACTLY, 2},
	{"restart", "Restart one or more containers", "[OPTIONS] CONTAINER [CONTAINER...]", LEAST,
	 1},
	{"rm", "Remove one or more containers", "[OPTIONS] CONTAINER [CONTAINER...]", LEAST, 1},
	{"rmi", "Remove one or more images", "[OPTIONS] IMAGE [IMAGE...]", LEAST, 1},
	{"run", "Run a command in a new container", "[OPTIONS] IMAGE [COMMAND] [ARG...]", LEAST, 1},
	{"save", "Save one or more images to a tar archive (streamed to STDOUT by default)",
	 "[OPTIONS] IMAGE [IMAGE...]", LEAST, 1},
	{"search", "Search the Docker Hub for images", "[OPTIONS] TERM", EXACTLY, 1},
	{"start", "Start one or more stopped containers", "[OPTIONS] CONTAINER [CONTAINER...]",
	 LEAST, 1},
	{"stats", "Display a live stream of container(s) resource usage statistics",
	 "[OPTIONS] [CONTAINER...]", LEAST, 0},
	{"stop", "Stop one or more running containers", "[OPTIONS] CONTAINER [CONTAINER...]", LEAST,
	 1},
	{"tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
	 "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", EXACTLY, 2},
	{"top", "Display the running processes of a container", "CONTAINER [ps OPTIONS]", LEAST, 1},
	{"unpause", "Unpause all processes within one or more containers",
	 "CONTAINER [CONTAINER...]", LEAST, 1},
	{"update", "Update configuration of one or more containers",
	 "[OPTIONS] CONTAINER [CONTAINER...]", LEAST, 1},
	{"version", "Show the Docker version information", "[OPTIONS]", LEAST, 0},
	{"wait", "Block until one or more containers stop, then print their exit codes",
	 "CONTAINER [CONTAINER...]", LEAST, 1},
};
static const struct {
	const char *name, *meaning;
} docker_groups[] = {
	{"builder", "Manage builds"},
	{"completion", "Generate the autocompletion script for the specified shell"},
	{"config", "Manage Docker configs"},
	{"container", "Manage containers"},
	{"context", "Manage contexts"},
	{"image", "Manage images"},
	{"manifest", "Manage Docker image manifests and manifest lists"},
	{"network", "Manage networks"},
	{"node", "Manage Swarm nodes"},
	{"plugin", "Manage plugins"},
	{"secret", "Manage Docker secrets"},
	{"service", "Manage services"},
	{"stack", "Manage Docker stacks"},
	{"swarm", "Manage Swarm"},
	{"system", "Manage Docker"},
	{"trust", "Manage trust on Docker images"},
	{"volume", "Manage volumes"},
};

static const char docker_options[] =
	"Options:\n"
	"      --config string      Location of client config files (default\n"
	"                           \"/root/.docker\")\n"
	"  -c, --context string     Name of the context to use to connect to the\n"
	"                           daemon (overrides DOCKER_HOST env var and\n"
	"                           default context set with \"docker context use\")\n"
	"  -D, --debug              Enable debug mode\n"
	"  -H, --host list          Daemon socket(s) to connect to\n"
	"  -l, --log-level string   Set the logging level\n"
	"                           (\"debug\"|\"info\"|\"warn\"|\"error\"|\"fatal\")\n"
	"                           (default \"info\")\n"
	"      --tls                Use TLS; implied by --tlsverify\n"
	"      --tlscacert string   Trust certs signed only by this CA (default\n"
	"                           \"/root/.docker/ca.pem\")\n"
	"      --tlscert string     Path to TLS certificate file (default\n"
	"                           \"/root/.docker/cert.pem\")\n"
	"      --tlskey string      Path to TLS key file (default\n"
	"                           \"/root/.docker/key.pem\")\n"
	"      --tlsverify          Use TLS and verify the remote\n"
	"  -v, --version            Print version information and quit\n"
	"\n";

static const char docker_end[] =
	"\nRun 'docker COMMAND --help' for more information on a command.\n\n"
	"To get more help with docker, check out our guides at "
	"https://docs.docker.com/go/guides/\n";

static void put_docker_usage(struct process *p, bool error)
{
	struct text out = {0};

	text_add_words(p, &out,
		       "\nUsage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for "
		       "containers\n\n");
	text_add_words(p, &out, docker_options);
	text_add_words(p, &out, "Management Commands:\n");
	for (size_t i = 0; i < ARRAY_COUNT(docker_groups); i++)
		text_format(p, &out, "  %-11s %s\n", docker_groups[i].name,
			    docker_groups[i].meaning);
	text_add_words(p, &out, "\nCommands:\n");
	for (size_t i = 0; i < ARRAY_COUNT(docker_commands); i++)
		text_format(p, &out, "  %-11s %s\n", docker_commands[i].name,
			    docker_commands[i].meaning);
	text_add_words(p, &out, docker_end);
	if (error)
		process_error(p, "%s", out.data);
	else
		process_put(p, text_slice(&out));
}

static int docker_version(struct process *p, bool whole)
{
	const char *version = packages_version(p, "docker.io", "20.10.24+dfsg1-1+deb12u1");
	int length = (int)strcspn(version, "-");

	if (!whole) {
		process_print(p, "Docker version %.*s, build 297e128\n", length, version);
		return 0;
	}
	process_print(p,
		      "Client:\n Version:           %.*s\n API version:       1.41\n"
		      " Go version:        go1.19.8\n Git commit:        297e128\n"
		      " Built:             Thu May  7 21:09:36 2026\n"
		      " OS/Arch:           linux/amd64\n Context:           default\n"
		      " Experimental:      true\n",
		      length, version);
	process_error(p, NO_DAEMON "\n");
	return 1;
}

static int docker_lacks(struct process *p, const struct docker_command *c)
{
	process_error(p,
		      "\"docker %s\" requires %s %d argument%s.\nSee 'docker %s --help'.\n\n"
		      "Usage:  docker %s %s\n\n%s\n",
		      c->name, c->operands == EXACTLY ? "exactly" : "at least", c->count,
		      c->count == 1 ? "" : "s", c->name, c->name, c->synopsis, c->meaning);
	return 1;
}

/* Options that take the next word; those of run and exec, which are asked with most. */
static bool docker_takes(const char *option)
{
	static const char *const words[] = {
		"--name",     "--volume",      "--env",        "--publish", "--network",
		"--user",     "--workdir",     "--entrypoint", "--restart", "--mount",
		"--hostname", "--memory",      "--cpus",       "--filter",  "--format",
		"--file",     "--tag",         "--pid",        "--cap-add", "--device",
		"--username", "--password",    "--tail",       "--signal",  "--time",
		"--add-host", "--security-opt"};

	if (option[1] != '-')
		return option[2] == '\0' && strchr("veputwhmcfnl", option[1]);
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (strcmp(words[i], option) == 0)
			return true;
	return false;
}

/* Operands behind the command; *terminal: it wants one. */
static int docker_operands(int argc, char **argv, const char **first, bool *terminal)
{
	int at = 0;

	for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
		*terminal = *terminal || strcmp(argv[at], "--tty") == 0 ||
			    (argv[at][1] != '-' && strchr(argv[at], 't') &&
			     strspn(argv[at] + 1, "idt") == strlen(argv[at] + 1));
		if (docker_takes(argv[at]) && strcmp(argv[at], "-t") != 0 && at + 1 < argc)
			at++;
	}
	*first = at < argc ? argv[at] : "";
	return argc - at;
}

static int docker_run(struct process *p, const struct docker_command *c, int argc, char **argv)
{
	const char *first;
	bool terminal = false;
	int count = docker_operands(argc, argv, &first, &terminal);

	if (argc && strcmp(argv[0], "--help") == 0) {
		process_print(p, "\nUsage:  docker %s %s\n\n%s\n", c->name, c->synopsis,
			      c->meaning);
		return 0;
	}
	if (c->operands == EXACTLY ? count != c->count : count < c->count)
		return docker_lacks(p, c);
	if (strcmp(c->name, "version") == 0)
		return docker_version(p, true);
	if (strcmp(c->name, "run") == 0 && terminal && !process_is_terminal(p, 0)) {
		process_error(p, "the input device is not a TTY\n");
		return 1;
	}
	if (strcmp(c->name, "run") == 0) {
		process_error(p, "docker: " NO_DAEMON ".\nSee 'docker run --help'.\n");
		return 125;
	}
	if (strcmp(c->name, "info") == 0) {
		process_put_text(p,
				 "Client:\n Context:    default\n Debug Mode: false\n\nServer:\n");
		process_error(p, "ERROR: " NO_DAEMON "\nerrors pretty printing info\n");
		return 1;
	}
	if (strcmp(c->name, "inspect") == 0)
		process_put_text(p, "[]\n");
	if (strcmp(c->name, "pull") == 0 && !strchr(first, ':') && !strchr(first, '@'))
		process_put_text(p, "Using default tag: latest\n");
	process_error(p, NO_DAEMON "\n");
	if (strcmp(c->name, "start") == 0)
		process_error(p, "Error: failed to start containers: %s\n", first);
	return 1;
}

int containers_docker(struct process *p, int argc, char **argv)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		const char *option = argv[at];

		if (strcmp(option, "-v") == 0 || strcmp(option, "--version") == 0)
			return docker_version(p, false);
		if (strcmp(option, "--help") == 0)
			break;
		if (strcmp(option, "-H") == 0 || strcmp(option, "-c") == 0 ||
		    strcmp(option, "-l") == 0 || strcmp(option, "--host") == 0)
			at++;
		else if (strcmp(option, "-D") != 0 && strncmp(option, "--", 2) != 0) {
			process_error(p,
				      "unknown shorthand flag: '%c' in %s\nSee 'docker --help'.\n",
				      option[1], option);
			put_docker_usage(p, true);
			return 125;
		}
	}
	if (at >= argc || strcmp(argv[at], "--help") == 0) {
		put_docker_usage(p, false);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_COUNT(docker_commands); i++)
		if (strcmp(docker_commands[i].name, argv[at]) == 0)
			return docker_run(p, &docker_commands[i], argc - at - 1, argv + at + 1);
	for (size_t i = 0; i < ARRAY_COUNT(docker_groups); i++) {
		if (strcmp(docker_groups[i].name, argv[at]) != 0)
			continue;
		if (at + 1 < argc && argv[at + 1][0] != '-') {
			process_error(p, NO_DAEMON "\n");
			return 1;
		}
		process_print(p, "\nUsage:  docker %s COMMAND\n\n%s\n", docker_groups[i].name,
			      docker_groups[i].meaning);
		return 0;
	}
	process_error(p, "docker: '%s' is not a docker command.\nSee 'docker --help'\n", argv[at]);
	return 1;
}

/* --- kubectl --- */

#define NO_CLUSTER                                                                             \
	"The connection to the server localhost:8080 was refused - did you specify the right " \
	"host or port?\n"
#define KUBECTL_VERSION                                                                      \
	"version.Info{Major:\"1\", Minor:\"20\", GitVersion:\"v1.20.2\", "                   \
	"GitCommit:\"faecb196815e248d3ecfb03c680a4507229c2a56\", GitTreeState:\"archive\", " \
	"BuildDate:\"2025-06-08T22:40:27Z\", GoVersion:\"go1.19.8\", Compiler:\"gc\", "      \
	"Platform:\"linux/amd64\"}"

static const char kubectl_usage[] =
	"kubectl controls the Kubernetes cluster manager.\n"
	"\n"
	" Find more information at: https://kubernetes.io/docs/reference/kubectl/overview/\n"
	"\n"
	"Basic Commands (Beginner):\n"
	"  create        Create a resource from a file or from stdin.\n"
	"  expose        Take a replication controller, service, deployment or pod and expose it "
	"as a new Kubernetes Service\n"
	"  run           Run a particular image on the cluster\n"
	"  set           Set specific features on objects\n"
	"\n"
	"Basic Commands (Intermediate):\n"
	"  explain       Documentation of resources\n"
	"  get           Display one or many resources\n"
	"  edit          Edit a resource on the server\n"
	"  delete        Delete resources by filenames, stdin, resources and names, or by "
	"resources and label selector\n"
	"\n"
	"Deploy Commands:\n"
	"  rollout       Manage the rollout of a resource\n"
	"  scale         Set a new size for a Deployment, ReplicaSet or Replication Controller\n"
	"  autoscale     Auto-scale a Deployment, ReplicaSet, or ReplicationController\n"
	"\n"
	"Cluster Management Commands:\n"
	"  certificate   Modify certificate resources.\n"
	"  cluster-info  Display cluster info\n"
	"  top           Display Resource (CPU/Memory/Storage) usage.\n"
	"  cordon        Mark node as unschedulable\n"
	"  uncordon      Mark node as schedulable\n"
	"  drain         Drain node in preparation for maintenance\n"
	"  taint         Update the taints on one or more nodes\n"
	"\n"
	"Troubleshooting and Debugging Commands:\n"
	"  describe      Show details of a specific resource or group of resources\n"
	"  logs          Print the logs for a container in a pod\n"
	"  attach        Attach to a running container\n"
	"  exec          Execute a command in a container\n"
	"  port-forward  Forward one or more local ports to a pod\n"
	"  proxy         Run a proxy to the Kubernetes API server\n"
	"  cp            Copy files and directories to and from containers.\n"
	"  auth          Inspect authorization\n"
	"  debug         Create debugging sessions for troubleshooting workloads and nodes\n"
	"\n"
	"Advanced Commands:\n"
	"  diff          Diff live version against would-be applied version\n"
	"  apply         Apply a configuration to a resource by filename or stdin\n"
	"  patch         Update field(s) of a resource\n"
	"  replace       Replace a resource by filename or stdin\n"
	"  wait          Experimental: Wait for a specific condition on one or many resources.\n"
	"  kustomize     Build a kustomization target from a directory or a remote url.\n"
	"\n"
	"Settings Commands:\n"
	"  label         Update the labels on a resource\n"
	"  annotate      Update the annotations on a resource\n"
	"  completion    Output shell completion code for the specified shell (bash or zsh)\n"
	"\n"
	"Other Commands:\n"
	"  api-resources Print the supported API resources on the server\n"
	"  api-versions  Print the supported API versions on the server, in the form of "
	"\"group/version\"\n"
	"  config        Modify kubeconfig files\n"
	"  plugin        Provides utilities for interacting with plugins.\n"
	"  version       Print the client and server version information\n"
	"\n"
	"Usage:\n"
	"  kubectl [flags] [options]\n"
	"\n"
	"Use \"kubectl <command> --help\" for more information about a given command.\n"
	"Use \"kubectl options\" for a list of global command-line options (applies to all "
	"commands).\n";

static const char kubectl_names[] =
	" create expose run set explain get edit delete rollout scale autoscale certificate "
	"cluster-info top cordon uncordon drain taint describe logs attach exec port-forward proxy "
	"cp auth debug diff apply patch replace wait kustomize label annotate completion "
	"api-resources api-versions config plugin version options alpha ";

static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

static int refused(struct process *p)
{
	process_error(p, NO_CLUSTER);
	return 1;
}

static int kubectl_version(struct process *p, int argc, char **argv)
{
	process_print(p, "Client Version: %s\n",
		      has_word(argc, argv, "--short") ? "v1.20.2" : KUBECTL_VERSION);
	return has_word(argc, argv, "--client") ? 0 : refused(p);
}

static int kubectl_config(struct process *p, int argc, char **argv)
{
	if (has_word(argc, argv, "view"))
		process_put_text(
			p, "apiVersion: v1\nclusters: null\ncontexts: null\n"
			   "current-context: \"\"\nkind: Config\npreferences: {}\nusers: null\n");
	else if (has_word(argc, argv, "get-contexts"))
		process_put_text(p, "CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\n");
	else if (has_word(argc, argv, "current-context"))
		process_error(p, "error: current-context is not set\n");
	return has_word(argc, argv, "current-context");
}

static bool is_kubectl_command(const char *name)
{
	size_t length = strlen(name);

	for (const char *at = kubectl_names; length && (at = strstr(at + 1, name));)
		if (at[-1] == ' ' && at[length] == ' ')
			return true;
	return false;
}

int containers_kubectl(struct process *p, int argc, char **argv)
{
	int at = 1;

	while (at < argc && argv[at][0] == '-' && strcmp(argv[at], "--help") != 0) {
		at += (strcmp(argv[at], "-n") == 0 || strcmp(argv[at], "-s") == 0) && at + 1 < argc;
		at++;
	}
	if (at >= argc || strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "help") == 0) {
		process_put_text(p, kubectl_usage);
		return 0;
	}
	if (!is_kubectl_command(argv[at])) {
		process_error(p,
			      "Error: unknown command \"%s\" for \"kubectl\"\n"
			      "Run 'kubectl --help' for usage.\n",
			      argv[at]);
		return 1;
	}
	if (strcmp(argv[at], "version") == 0)
		return kubectl_version(p, argc - at, argv + at);
	if (strcmp(argv[at], "config") == 0)
		return kubectl_config(p, argc - at, argv + at);
	if (strcmp(argv[at], "cluster-info") == 0)
		process_put_text(p,
				 "\nTo further debug and diagnose cluster problems, use 'kubectl "
				 "cluster-info dump'.\n");
	if (strcmp(argv[at], "api-resources") == 0)
		process_put_text(p, "NAME   SHORTNAMES   APIVERSION   NAMESPACED   KIND\n");
	if (strcmp(argv[at], "get") == 0 && at + 1 == argc) {
		process_error(
			p,
			"You must specify the type of resource to get. Use \"kubectl "
			"api-resources\" for a complete list of supported resources.\n\nerror: "
			"Required resource not specified.\nUse \"kubectl explain <resource>\" for "
			"a detailed description of that resource (e.g. kubectl explain pods).\nSee "
			"'kubectl get -h' for help and examples\n");
		return 1;
	}
	return refused(p);
}
